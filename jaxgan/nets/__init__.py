"""Generators and discriminators, one family a file."""
