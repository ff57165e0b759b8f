"""What every test of this room starts from."""

from __future__ import annotations

import pytest

from atelier.market.discovery import search


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs beside these tests, so the search page need not wait for one."""
    monkeypatch.setattr(search, "WAIT_SECONDS", 0)
