"""What every version stands on: no weights, but the search for layouts as this version of the engine does it."""

from __future__ import annotations

import hashlib

from atelier.workshop.contract import BaseModelInfo

VERSION = "2"
"""Another one makes other pieces of the same style, brief and seed."""
BASE = BaseModelInfo(
    name="Layouts found by search",
    sha256=hashlib.sha256(f"atelier design {VERSION}".encode()).hexdigest(),
    licence="AGPL-3.0-or-later",
    source="this project",
    parameters=0,
)
