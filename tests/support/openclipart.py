"""Real works by real people: Debian's openclipart-svg, fetched as a package, and of it only what its own metadata gives
to the public domain. Nothing of it is kept in this project."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import platformdirs
from lxml import etree

PACKAGE = "openclipart-svg"
FREE = re.compile(r"publicdomain|public domain", re.IGNORECASE)
_DC = "{http://purl.org/dc/elements/1.1/}"


class NotThere(RuntimeError):
    """The package cannot be had on this machine."""


def folder() -> Path:
    """Where the package lies unpacked; fetched and unpacked the first time. Errors: NotThere, saying why."""
    cache = Path(platformdirs.user_cache_dir("atelier")) / "tests"
    place = cache / PACKAGE
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{PACKAGE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            _fetch(place)
    return place


def _fetch(place: Path) -> None:
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise NotThere(f"{PACKAGE} is a package of Debian, and this is another system")
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(["apt-get", "download", PACKAGE], cwd=name, capture_output=True, text=True)
        found = list(Path(name).glob("*.deb"))
        if not found:
            raise NotThere(f"{PACKAGE} could not be fetched: {done.stderr.strip()[-200:]}")
        unpacked = place.with_suffix(".part")
        shutil.rmtree(unpacked, ignore_errors=True)
        subprocess.run(["dpkg-deb", "-x", str(found[0]), str(unpacked)], check=True)
        unpacked.replace(place)


@lru_cache(1)
def by_author() -> dict[str, list[Path]]:
    """Files in the public domain by who made them, those of most works first; each author's in order of name."""
    root = folder()
    index = root / "index.json"
    if not index.exists():  # reading eight thousand heads takes ten seconds
        told = {str(path.relative_to(root)): _told(path) for path in sorted(root.rglob("*.svg"))}
        part = index.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(told), encoding="utf-8")
        part.replace(index)
    found: dict[str, list[Path]] = {}
    for name, author in json.loads(index.read_text(encoding="utf-8")).items():
        if author is not None:
            found.setdefault(author, []).append(root / name)
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def _told(path: Path) -> str | None:
    """Who made a work; None where it does not say so, or is not in the public domain."""
    head = path.read_bytes()
    if b"rdf:RDF" not in head and b"RDF" not in head:
        return None
    try:
        root = etree.fromstring(head, etree.XMLParser(resolve_entities=False, no_network=True, recover=True))
    except etree.XMLSyntaxError:
        return None
    if root is None or not any(FREE.search(text) for text in _licences(root)):
        return None
    for creator in root.iter(f"{_DC}creator"):
        words = " ".join("".join(map(str, creator.itertext())).split())
        if words:
            return words
    return None


def _licences(root: etree._Element) -> Iterator[str]:
    for element in root.iter():
        if isinstance(element.tag, str) and etree.QName(element).localname in ("license", "License"):
            yield from map(str, element.attrib.values())
