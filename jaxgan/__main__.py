"""`python -m jaxgan` is `jaxgan`."""

import sys

from jaxgan.cli import main

if __name__ == "__main__":
    sys.exit(main())
