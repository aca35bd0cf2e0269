"""How good are the images: pure functions of features and of images, and the protocols that make numbers comparable."""
