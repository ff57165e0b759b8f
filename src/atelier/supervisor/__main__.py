"""`python -m atelier.supervisor`."""

import signal
import sys

# Until the supervisor listens for it, Ctrl-C has nothing to take down: it ends this process without a word.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from .main import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
