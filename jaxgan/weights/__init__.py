"""Files of weights in other libraries' formats."""
