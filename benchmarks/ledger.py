"""Ledger postings a second: a sale of three legs, by one client and by eight at once, all on the same two hot accounts.

    .venv/bin/python benchmarks/ledger.py [--rounds N] [--seconds S] [--json]

Uses the server of DATABASE_URL (its role must be allowed to create databases) or one of its own, with fsync on. Every
round is timed on its own; the table shows the median and the range of rounds. At the end the book must be in balance.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

CLIENTS = (1, 8)
PAYEES = 100


@contextmanager
def database() -> Iterator[None]:
    """An empty database that Django is set up for, dropped afterwards."""
    import psycopg

    from atelier.supervisor.testing import temporary_root, throwaway_postgres

    @contextmanager
    def server() -> Iterator[str]:
        if url := os.environ.get("DATABASE_URL"):
            yield url
        else:
            with temporary_root() as root, throwaway_postgres(root / "postgres", durable=True) as cluster:
                yield cluster.url

    with server() as url, tempfile.TemporaryDirectory() as data:
        name = f"atelier_bench_{os.getpid()}"
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
            os.environ["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
            os.environ["DJANGO_SETTINGS_MODULE"] = "atelier.config.settings"
            os.environ["ATELIER_DATA"] = data
            try:
                yield
            finally:
                from django.db import connections

                connections.close_all()
                connections["default"].close_pool()  # type: ignore[attr-defined]
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def sell(key: str, payee: int) -> None:
    """One sale: the gateway holds 10.00, the market earns 1.00, the payee is owed 9.00."""
    from atelier.market.ledger import accounts
    from atelier.market.ledger.actions import credit, debit, post

    legs = [
        debit(accounts.gateway_clearing("bench", "USD"), 1000),
        credit(accounts.platform_fees("USD"), 100),
        credit(accounts.payable(payee, "USD"), 900),
    ]
    post(key=key, kind="sale", reference=key, legs=legs)


def round_of(clients: int, seconds: float, people: list[int], label: str) -> float:
    """Postings a second of that many clients in one round."""
    from django.db import connection

    counts = [0] * clients
    gate = threading.Barrier(clients + 1)
    stop = threading.Event()

    def work(client: int) -> None:
        rng = random.Random(client)
        connection.ensure_connection()
        gate.wait()
        while not stop.is_set():
            sell(f"{label}:{client}:{counts[client]}", rng.choice(people))
            counts[client] += 1
        connection.close()

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    gate.wait()
    start = time.perf_counter()
    time.sleep(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)


def measure(rounds: int, seconds: float) -> dict[str, Any]:
    """All rounds of all numbers of clients, and whether the book was in balance afterwards."""
    import django

    django.setup()
    from django.core.management import call_command

    from atelier.market.accounts.models import User
    from atelier.market.ledger import queries

    call_command("migrate", verbosity=0, interactive=False)
    people = [User.objects.create_user(f"p{n}@example.org", name=f"P{n}").pk for n in range(PAYEES)]
    round_of(1, min(1.0, seconds), people, "warm-up")
    results = []
    for clients in CLIENTS:
        rates = [round_of(clients, seconds, people, f"{clients}:{number}") for number in range(rounds)]
        results.append({"clients": clients, "rates": [round(rate, 1) for rate in rates]})
    operator = User.objects.create_superuser("o@example.org", name="O")
    balanced = all(total.is_zero for total in queries.totals(operator)) and not queries.drifted(operator)
    return {
        "what": "ledger postings a second, three legs, fsync on",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0]},
        "rounds": rounds,
        "seconds_a_round": seconds,
        "results": results,
        "balanced": balanced,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    options = parser.parse_args()
    with database():
        found = measure(options.rounds, options.seconds)
    if not options.json:
        print(f"{'clients':>8} {'postings/s':>11} {'range':>16}")
        for row in found["results"]:
            rates = row["rates"]
            low, high = min(rates), max(rates)
            print(f"{row['clients']:>8} {statistics.median(rates):>11.0f} {f'{low:.0f}–{high:.0f}':>16}")
        print(f"in balance: {'yes' if found['balanced'] else 'NO'}")
    print(json.dumps(found))
    return 0 if found["balanced"] else 1


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
    sys.exit(main())
