"""Brings the database up to date and, in a demo market, fills it. Safe to run again at every start.

Prints one JSON object a line: {"step": what is being done, "done": n, "planned": m}.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django


def say(step: str, done: int, planned: int) -> None:
    """Tell the supervisor how far preparation is."""
    sys.stdout.write(json.dumps({"step": step, "done": done, "planned": planned}) + "\n")
    sys.stdout.flush()


def migrate() -> None:
    """Apply all migrations. Only one process at a time: PostgreSQL's advisory lock makes others wait."""
    from django.core.management import call_command
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(4711001)")
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(4711001)")


def main(argv: list[str] | None = None) -> int:
    """Run all steps."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "atelier.config.settings")
    django.setup()
    from django.conf import settings

    steps: list[tuple[str, Any]] = [("Bringing the database up to date", migrate)]
    if settings.DEMO:
        from atelier.config.demo.seed import seed

        steps.append(("Filling the demo market", seed))
    for number, (step, run) in enumerate(steps):
        say(step, number, len(steps))
        run()
    say("Prepared", len(steps), len(steps))
    return 0


if __name__ == "__main__":
    sys.exit(main())
