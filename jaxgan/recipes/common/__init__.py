"""What several recipes share: configurations, wiring, options and cures."""
