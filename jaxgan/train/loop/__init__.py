"""The training loop: what is planned, dispatched, watched, measured and saved, and in which order."""
