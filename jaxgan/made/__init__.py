"""Data drawn from parameters, one family a file: no download, no licence, and as many examples as wanted."""
