"""The laboratory of mode collapse: what each cure of a GAN's training does, in numbers and pictures."""
