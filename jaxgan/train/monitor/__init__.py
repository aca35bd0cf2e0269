"""What a run's numbers say about its health: pure rules, and findings over time."""
