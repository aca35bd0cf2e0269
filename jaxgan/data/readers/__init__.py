"""Readers: each turns one way of laying out files into `Data`."""
