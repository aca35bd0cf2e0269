"""What examples are seen by: networks, pixels, and the choice between them."""
