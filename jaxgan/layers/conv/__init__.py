"""Convolutions of rank 1 to 3, in the form that is fastest on the platform."""
