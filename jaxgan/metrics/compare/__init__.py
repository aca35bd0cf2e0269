"""Two sides, a protocol, and all metrics of them."""
