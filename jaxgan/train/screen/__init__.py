"""What people see: lines, progress bars and the summary picture."""
