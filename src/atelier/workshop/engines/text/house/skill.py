"""The house skill as it is shipped: an adapter that follows briefs in nobody's voice, from which creators' begin."""

from __future__ import annotations

import json
from pathlib import Path

from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.lora import ORIGIN, Lora, adapter_sha256, load

FOLDER = Path(__file__).parent / "skill"


def skill(base: Base, rank: int) -> Lora | None:
    """The house skill where it fits: for the very base it was trained on, and an adapter of at least its rank; else
    none, and a creator's adapter begins from the base alone."""
    if made_for() != base.sha256:
        return None
    found = load(FOLDER, base)
    return found if found.rank <= rank else None


def made_for() -> str:
    """The SHA-256 of the base that the skill was trained on."""
    origin: dict[str, dict[str, str]] = json.loads((FOLDER / ORIGIN).read_text(encoding="utf-8"))
    return origin["base"]["sha256"]


def skill_sha256() -> str:
    """Names the exact skill."""
    return adapter_sha256(FOLDER)
