"""`python -m atelier.supervisor`."""

import sys

from .main import main

sys.exit(main(sys.argv[1:]))
