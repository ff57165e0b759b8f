"""Briefs and the copy that answers them, to teach a base to follow a brief, and briefs to measure it by."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Pair:
    """A brief, and copy that follows it; without copy it is held out to measure by."""

    id: str
    trade: str
    brief: dict[str, Any]
    copy: str = ""


@lru_cache(maxsize=1)
def pairs() -> tuple[Pair, ...]:
    """Eight hundred and more briefs with their copy, by trade."""
    return _read("pairs.jsonl")


@lru_cache(maxsize=1)
def held_out() -> tuple[Pair, ...]:
    """A hundred briefs of other trades, never trained on."""
    return _read("held-out.jsonl")


def _read(name: str) -> tuple[Pair, ...]:
    with (HERE / name).open(encoding="utf-8") as file:
        return tuple(Pair(**json.loads(line)) for line in file)
