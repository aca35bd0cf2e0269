"""Public networks written in PyTorch, for goldens and as peers of benchmarks; jaxgan needs none of them."""
