"""The commands behind `jaxgan COMMAND`, and the same from Python."""
