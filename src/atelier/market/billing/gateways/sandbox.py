"""A gateway that moves no money. It keeps its own memory outside the market's database, as a real one would.

Only the listed test cards work, so that nobody types a real one; of a number, the last four digits are kept.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .interface import (
    Card,
    CardInvalid,
    Charge,
    GatewayError,
    GatewayTimeout,
    GatewayUnavailable,
    Result,
    State,
    TestCard,
)

SETTLES_AFTER_SECONDS = 6.0


@dataclass(frozen=True)
class Behaviour:
    """What happens to a test card: the state it leads to, whether it is remembered, whether the answer comes."""

    state: State
    code: str = ""
    happens: bool = True
    answers: bool = True


BEHAVIOURS = {
    "4242424242424242": Behaviour(State.SUCCEEDED),
    "4000000000009995": Behaviour(State.DECLINED, "insufficient_funds"),
    "4000000000000069": Behaviour(State.DECLINED, "expired_card"),
    "4000000000003220": Behaviour(State.REQUIRES_CONFIRMATION),
    "4000000000000077": Behaviour(State.PENDING),
    "4000000000004085": Behaviour(State.SUCCEEDED, answers=False),
    "4000000000005041": Behaviour(State.DECLINED, happens=False, answers=False),
}
TEST_CARDS = (
    TestCard("4242 4242 4242 4242", _("is accepted")),
    TestCard("4000 0000 0000 9995", _("is declined: not enough money")),
    TestCard("4000 0000 0000 0069", _("is declined: expired")),
    TestCard("4000 0000 0000 3220", _("asks you to confirm")),
    TestCard("4000 0000 0000 0077", _("is accepted after some seconds")),
    TestCard("4000 0000 0000 4085", _("is accepted, but the answer is lost on the way")),
    TestCard("4000 0000 0000 5041", _("never reaches the bank, and no answer comes")),
)

TABLES = """
CREATE TABLE IF NOT EXISTS card (token TEXT PRIMARY KEY, last4 TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS charge (
    key TEXT PRIMARY KEY, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL,
    code TEXT NOT NULL, reference TEXT NOT NULL, settles_at REAL
);
"""


class SandboxGateway:
    """The gateway of demos and tests. Safe to use from many threads and processes at once."""

    name = "sandbox"
    test_cards = TEST_CARDS

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path = path or Path(settings.DATA) / "sandbox-gateway.sqlite3"
        self._clock = clock

    def card(self, entered: str) -> Card:
        number = "".join(entered.split()).replace("-", "")
        if number not in BEHAVIOURS:
            raise CardInvalid("no test card")
        token = f"card_{secrets.token_hex(12)}"
        with self._memory() as memory:
            # The last four digits tell the test cards apart, so no number is kept.
            memory.execute("INSERT INTO card VALUES (?, ?)", (token, number[-4:]))
        return Card(token, f"Visa •••• {number[-4:]}")

    def charge(self, charge: Charge) -> Result:
        with self._memory() as memory:
            known = memory.execute(
                "SELECT amount_minor, currency, state FROM charge WHERE key = ?", (charge.key,)
            ).fetchone()
            if known is None:
                behaviour = self._behaviour(memory, charge.card_token)
                if behaviour.happens:
                    self._write(memory, charge, behaviour)
            else:
                behaviour = Behaviour(State(known[2]))
                if behaviour.state != State.VOIDED and (known[0], known[1]) != (charge.amount_minor, charge.currency):
                    raise GatewayError("This key was used for another amount.")
        if not behaviour.answers:
            raise GatewayTimeout("no answer")
        found = self.find(charge.key)
        if found is None or found.state == State.VOIDED:
            return Result(State.DECLINED, code="never_arrived")
        return found

    def confirm(self, key: str, passed: bool) -> Result:
        with self._memory() as memory:
            outcome = (State.SUCCEEDED, "") if passed else (State.DECLINED, "not_confirmed")
            memory.execute(
                "UPDATE charge SET state = ?, code = ? WHERE key = ? AND state = ?",
                (*outcome, key, State.REQUIRES_CONFIRMATION),
            )
        return self._found(key)

    def find(self, key: str) -> Result | None:
        with self._memory() as memory:
            memory.execute(
                "UPDATE charge SET state = ? WHERE key = ? AND state = ? AND settles_at <= ?",
                (State.SUCCEEDED, key, State.PENDING, self._clock()),
            )
            row = memory.execute("SELECT state, reference, code FROM charge WHERE key = ?", (key,)).fetchone()
        return None if row is None else Result(State(row[0]), reference=row[1], code=row[2])

    def void(self, key: str) -> Result:
        with self._memory() as memory:
            memory.execute(
                "INSERT OR IGNORE INTO charge VALUES (?, 0, '', ?, '', ?, NULL)", (key, State.VOIDED, _reference())
            )
            memory.execute(
                "UPDATE charge SET state = ? WHERE key = ? AND state IN (?, ?)",
                (State.VOIDED, key, State.REQUIRES_CONFIRMATION, State.PENDING),
            )
        return self._found(key)

    def refund(self, key: str) -> Result:
        with self._memory() as memory:
            memory.execute(
                "UPDATE charge SET state = ? WHERE key = ? AND state = ?", (State.REFUNDED, key, State.SUCCEEDED)
            )
        found = self._found(key)
        if found.state != State.REFUNDED:
            raise GatewayError("Nothing was taken under this key.")
        return found

    def _found(self, key: str) -> Result:
        found = self.find(key)
        if found is None:
            raise GatewayError("There is no charge under this key.")
        return found

    @staticmethod
    def _behaviour(memory: sqlite3.Connection, token: str) -> Behaviour:
        row = memory.execute("SELECT last4 FROM card WHERE token = ?", (token,)).fetchone()
        for number, behaviour in BEHAVIOURS.items():
            if row is not None and number.endswith(row[0]):
                return behaviour
        raise GatewayError("There is no such card.")

    def _write(self, memory: sqlite3.Connection, charge: Charge, behaviour: Behaviour) -> None:
        settles_at = self._clock() + SETTLES_AFTER_SECONDS if behaviour.state == State.PENDING else None
        memory.execute(
            "INSERT INTO charge VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                charge.key,
                charge.amount_minor,
                charge.currency,
                behaviour.state,
                behaviour.code,
                _reference(),
                settles_at,
            ),
        )

    @contextlib.contextmanager
    def _memory(self) -> Iterator[sqlite3.Connection]:
        """The gateway's own file, in one transaction that waits for its turn."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Closing with a transaction open rolls it back.
            with contextlib.closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as memory:
                memory.executescript(TABLES)
                memory.execute("BEGIN IMMEDIATE")
                yield memory
                memory.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise GatewayUnavailable(str(error)) from error


def _reference() -> str:
    return f"sandbox_{secrets.token_hex(8)}"
