"""Where published files of weights keep which array: one file of names a family of networks.

A layout recognises a file by its names and shapes, says what the network is like, and where each array goes. To add one
is a `Layout` in a file here, and its place in the `IMPORTS` of a recipe.
"""
