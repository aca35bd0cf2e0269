"""A run on the disk: its options, folder, checkpoints and records, and how it is found again."""
