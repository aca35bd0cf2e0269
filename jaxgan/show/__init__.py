"""Pictures and files of any field: previews, sheets, and what `--out` writes."""
