from __future__ import annotations

from pathlib import Path

import pytest

from atelier.market.billing import gateways
from atelier.market.billing.gateways.sandbox import SandboxGateway


@pytest.fixture(autouse=True)
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SandboxGateway:
    """A sandbox of the test's own."""
    made = SandboxGateway(tmp_path / "gateway.sqlite3")
    monkeypatch.setattr(gateways, "_made", lambda path: made)
    return made
