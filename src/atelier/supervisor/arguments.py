"""The words `bin/up` understands. Needs nothing but the standard library, so that --help works before any install."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

DEFAULT_PORT = 8000
EPILOG = """environment:
  DATABASE_URL          use this PostgreSQL (16 or newer, with pgvector) instead of starting one
  ATELIER_VENV          where the virtual environment stands (default: .venv in the checkout)
  ATELIER_PORT, ATELIER_DATA, ATELIER_DEMO=0, ATELIER_SECRET_KEY, ATELIER_HOSTS, ATELIER_SITE_URL
"""


def _port(word: str) -> int:
    try:
        number = int(word)
    except ValueError:
        number = 0
    if not 1 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{word} is no port; take a number from 1 to 65535")
    return number


def default_data() -> Path:
    """`data` in the checkout these lines lie in, else in the working directory."""
    checkout = Path(__file__).resolve().parents[3]
    return (checkout if (checkout / "pyproject.toml").exists() else Path.cwd()) / "data"


def parser() -> argparse.ArgumentParser:
    """The parser; defaults come from the environment."""
    made = argparse.ArgumentParser(
        prog="bin/up",
        description="Serve Atelier: starts PostgreSQL, brings it up to date, then runs web and worker until Ctrl-C.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    env = os.environ
    made.add_argument("--port", type=_port, default=env.get("ATELIER_PORT") or DEFAULT_PORT, help="default: 8000")
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    made.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=Path(env.get("ATELIER_DATA") or default_data()),
        help="folder for everything that is kept: database, files, logs (default: data in the checkout)",
    )
    made.add_argument(
        "--no-demo",
        dest="demo",
        action="store_false",
        default=env.get("ATELIER_DEMO", "1").lower() not in {"0", "no", "false", "off"},
        help="start with an empty market",
    )
    made.add_argument("--verbose", action="store_true", help="show everything that web and worker say")
    return made


if __name__ == "__main__":
    parser().parse_args(sys.argv[1:])
