"""kill -9 of worker, web and PostgreSQL at random moments: nothing lost, nothing doubled, and the site heals itself."""

from __future__ import annotations

import random
import sqlite3
import threading
import time

import pytest
from trial.person import wait_for
from trial.site import Site, rows
from trial.walk import Walk

pytestmark = pytest.mark.slow

KILLS = 20
PARTS = ("atelier.config.worker", "uvicorn", "postgres -D")
ROUNDS_LEAST = 3


class Killer(threading.Thread):
    """Kills a random part at random moments, and waits each time until the site answers again."""

    def __init__(self, site: Site, kills: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.site, self.left = site, kills
        self.random = random.Random(seed)
        self.killed: list[str] = []
        self.trouble: Exception | AssertionError | None = None

    def run(self) -> None:
        try:
            while self.left:
                time.sleep(self.random.uniform(0.3, 2.5))
                # Each part gets its share, in an order nobody knows before.
                part = PARTS[(self.left + self.random.randrange(2)) % len(PARTS)]
                if self.site.kill(part):
                    self.killed.append(part)
                    self.left -= 1
                    self.site.wait_until_up(60)
        except (Exception, AssertionError) as error:
            self.trouble = error


def _texts(tag: str) -> list[dict[str, str]]:
    """Twelve short works of made-up words, no two alike."""
    made = []
    for number in range(12):
        draw = random.Random(f"{tag}-{number}")
        syllables = ("ka", "lo", "mi", "ren", "tu", "sal", "vo", "den", "pi", "gra")
        words = ["".join(draw.choices(syllables, k=draw.randint(2, 3))) for _ in range(60)]
        made.append({"title": f"{tag} {number}", "text": " ".join(words).capitalize() + "."})
    return made


def test_twenty_kills_lose_nothing_and_double_nothing(quick_site: Site) -> None:
    walk = Walk.begin(quick_site, engine="fake", seconds=120)
    walk.become_creator()
    killer = Killer(quick_site, KILLS, seed=7)
    killer.start()
    sold: list[dict[str, object]] = []
    messages, asked, taken, rounds = 0, 0, 0, 0
    while killer.is_alive() or rounds < ROUNDS_LEAST:
        tag = f"round{rounds}"
        works = walk.upload(_texts(tag))
        taken += len(works)
        model, _version = walk.train(seconds=240)
        walk.publish(model["id"])
        made = walk.generate(model["id"], samples=2, seconds=240)
        asked += 1
        for output, tier in zip(made["outputs"], ("personal", "exclusive"), strict=True):
            bought = walk.buy(output["id"], tier, seconds=240)
            assert walk.files(bought["licence_id"], seconds=240)
            sold.append(bought)
        walk.write_to_creator(made["outputs"][0]["id"], f"message of {tag}")
        messages += 1
        rounds += 1
    killer.join()
    assert killer.trouble is None, killer.trouble
    assert len(killer.killed) == KILLS
    assert set(killer.killed) == set(PARTS)

    def one(sql: str) -> object:
        return rows(quick_site, sql)[0][0]

    def quiet() -> bool:
        return one("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')") == 0

    wait_for(quiet, "all jobs to end", 120)
    assert one("SELECT count(*) FROM works_work") == taken
    assert one("SELECT count(*) FROM works_work") == rounds * 12
    assert one("SELECT count(*) FROM studio_version") == rounds
    assert one("SELECT count(*) FROM generation_generation") == asked
    assert one("SELECT count(*) FROM generation_output") == asked * 2
    assert one("SELECT count(*) FROM hiring_message") == messages
    # Paid means licensed and booked, each exactly once, and the bank agrees.
    assert one("SELECT count(*) FROM billing_purchase WHERE state = 'paid'") == len(sold)
    assert one("SELECT count(*) FROM licences_licence") == len(sold)
    assert one("SELECT count(*) FROM ledger_transaction WHERE kind = 'sale'") == len(sold)
    assert one("SELECT coalesce(sum(balance_minor), 0) FROM ledger_account") == 0
    fees = sum(int(str(sale["price_minor"])) for sale in sold)
    assert one("SELECT sum(amount_minor) FROM ledger_entry WHERE direction = 'debit'") == fees
    with sqlite3.connect(quick_site.data / "sandbox-gateway.sqlite3") as bank:
        charged = bank.execute("SELECT count(*), sum(amount_minor) FROM charge WHERE state = 'succeeded'").fetchone()
    assert charged == (len(sold), fees)
