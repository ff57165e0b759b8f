"""Finds engines by their entry points: a package that declares one under `atelier.engines` needs no edit anywhere.

`ATELIER_EXTRA_ENGINES` adds engines that are not installed as packages, as `name=module:Class`, comma separated;
tests bring the fake engine in that way.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

from .engine import Engine
from .errors import EngineUnavailable

GROUP = "atelier.engines"


@cache
def engines() -> dict[str, Engine]:
    """All engines of this installation by name, constructed once a process, in order of name."""
    found: dict[str, Engine] = {}
    for point in entry_points(group=GROUP):
        found[point.name] = cast(Engine, point.load()())
    for pair in filter(None, os.environ.get("ATELIER_EXTRA_ENGINES", "").split(",")):
        name, _, target = pair.partition("=")
        module, _, attribute = target.partition(":")
        found[name.strip()] = cast(Engine, getattr(import_module(module.strip()), attribute.strip())())
    return dict(sorted(found.items()))


def engine(name: str) -> Engine:
    """The engine of that name. Errors: EngineUnavailable, naming those there are."""
    try:
        return engines()[name]
    except KeyError:
        known = ", ".join(engines()) or "none"
        raise EngineUnavailable(f"There is no engine called “{name}”.", remedy=f"Installed: {known}.") from None
