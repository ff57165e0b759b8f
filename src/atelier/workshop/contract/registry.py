"""Finds engines by their entry points: a package that declares one under `atelier.engines` needs no edit anywhere.

`ATELIER_EXTRA_ENGINES` adds engines that are not installed as packages, as `name=module:Class`, comma separated;
tests bring the fake engine in that way.

An engine that says through `missing()` what must be set or installed first is declared and not offered: an
installation without a graphics card need not know of those that want one.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from .engine import Engine
from .errors import EngineUnavailable

log = logging.getLogger(__name__)

GROUP = "atelier.engines"

_broken: dict[str, str] = {}
_missing: dict[str, str] = {}
_loading = threading.RLock()


def engines() -> dict[str, Engine]:
    """All engines of this installation by name, constructed once a process, in order of name.

    An engine that cannot be loaded is logged and left out, so that the others still work; so is one that is `missing`
    something.
    """
    with _loading:  # or two threads that ask at once would have two of each
        return _loaded()


@cache
def _loaded() -> dict[str, Engine]:
    found: dict[str, Engine] = {}
    _broken.clear()
    _missing.clear()
    for name, load in _declared():
        try:
            made = load()()
            if words := getattr(made, "missing", str)():
                log.info("the engine %r is not offered: %s", name, words)
                _missing[name] = words
            else:
                found[name] = cast(Engine, made)
        except Exception as error:
            log.exception("the engine %r cannot be loaded", name)
            _broken[name] = f"{type(error).__name__}: {error}"
    return dict(sorted(found.items()))


def engine(name: str) -> Engine:
    """The engine of that name. Errors: EngineUnavailable, naming those there are."""
    try:
        return engines()[name]
    except KeyError:
        known = ", ".join(engines()) or "none"
    if name in _missing:
        raise EngineUnavailable(f"The engine “{name}” is here, but cannot be used yet.", remedy=_missing[name])
    if name in _broken:
        raise EngineUnavailable(f"The engine “{name}” cannot be loaded: {_broken[name]}.", remedy="Install it anew.")
    raise EngineUnavailable(f"There is no engine called “{name}”.", remedy=f"Installed: {known}.")


def _declared() -> Iterator[tuple[str, Callable[[], Any]]]:
    for point in entry_points(group=GROUP):
        yield point.name, point.load
    for pair in filter(None, os.environ.get("ATELIER_EXTRA_ENGINES", "").split(",")):
        name, _, target = pair.partition("=")
        yield name.strip(), EntryPoint(name.strip(), target.strip(), GROUP).load
