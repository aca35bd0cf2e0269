"""Changes to images, as pure functions with one key an example."""
