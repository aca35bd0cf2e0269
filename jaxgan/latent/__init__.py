"""What can be done in a latent space, by systems that draw and decode latents."""
