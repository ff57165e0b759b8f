"""The command behind `bin/up`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from atelier import __version__

from .arguments import parser
from .console import Console
from .errors import SupervisorError
from .folder import DataFolder, unwritable
from .site import Site, atelier
from .supervisor import Options, Supervisor


def main(argv: Sequence[str] | None = None, *, site: Site | None = None, version: str = __version__) -> int:
    """Serves until asked to stop. Exit codes: 0 stopped as asked, 1 could not go on (said why), 2 wrong words."""
    words = parser().parse_args(argv)
    # Logs, passwords and files belong to whoever runs this, and to nobody else.
    os.umask(0o077)
    console = Console(verbose=words.verbose)
    folder = DataFolder(words.data.expanduser().absolute(), version)
    options = Options(words.host, words.port, words.demo, os.environ.get("DATABASE_URL") or None)
    try:
        folder.open()
        Supervisor(options, folder, site or atelier(), console).run()
    except SupervisorError as error:
        console.end()
        sys.stderr.write(f"\nAtelier cannot start. {error.message}\n{error.remedy}\n")
        return 1
    except OSError as error:
        console.end()
        known = unwritable(folder.path, error)
        sys.stderr.write(f"\nAtelier had to stop. {known.message}\n{known.remedy}\n")
        return 1
    finally:
        folder.close()
    console.say("Stopped.")
    return 0
