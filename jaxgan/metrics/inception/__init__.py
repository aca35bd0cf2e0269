"""The Inception networks, and their weights."""
