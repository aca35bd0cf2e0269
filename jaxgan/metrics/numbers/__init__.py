"""Metrics: pure functions of features, or of examples themselves."""
