"""Fetches and checks the base that ATELIER_DIFFUSION_BASE names: `python -m atelier.workshop.engines.diffusion`."""

from __future__ import annotations

import sys

from atelier.workshop.contract import EngineUnavailable

from .base import fetch
from .settings import check_libraries


def main() -> int:
    """Exit code 1, with the reason, when the engine cannot be used."""
    try:
        check_libraries()
        found = fetch()
    except EngineUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    info = found.info
    size = f"{info.parameters / 1e6:.0f} million weights, {found.side} pixels a side"
    sys.stdout.write(f"{info.name} ({info.licence}), {size}\n{info.sha256}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
