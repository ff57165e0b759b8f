"""A short stay in a crowded house with a killed worker; the long one is benchmarks/soak.py itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[3] / "benchmarks" / "soak.py"


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_is_lost_or_mixed_up_though_clients_leave_and_the_worker_is_killed(tiny_folder: Path) -> None:
    command = [sys.executable, str(SOAK), "--minutes", "0.35", "--clients", "16", "--creators", "12"]
    done = subprocess.run(
        [*command, "--kill-every", "0.1", "--json"],
        env={**os.environ, "ATELIER_TEXT_BASE": str(tiny_folder), "ATELIER_TEXT_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["wrong"] == []
    assert done.returncode == 0
    assert found["kills"] >= 1
    assert found["alone"] > 5
    assert found["whole"]["lost"] == 0
    assert found["whole"]["left"] > 0
    assert found["whole"]["texts"] > 50
    assert found["whole"]["cancelled"] > 0
    assert set(found["ways"]) == {"stays", "cancels", "closes", "stalls", "breaks"}
