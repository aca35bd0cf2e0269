"""Data drawn from parameters, one family a file."""
