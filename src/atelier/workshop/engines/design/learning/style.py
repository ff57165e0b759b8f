"""A creator's style as the engine holds it, and the folder of readable files in which it is kept and taken along.

style.json      palette with roles, habits of line, form, composition and type, the works learned from
motifs/NNN.svg  every motif as plain SVG, named in style.json with its source work
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import AdapterInvalid, Unreadable
from atelier.workshop.engines.design.reading.svg import read_svg
from atelier.workshop.engines.design.writing import svg_of

from .motifs import Motif, looked_at
from .palette import Palette, Swatch
from .traits import Traits

FORMAT = "atelier-design-2"
EARLIER = ("atelier-design-1",)
"""Formats that are still read: in the first, motifs went by their number."""
REMEDY = "Train the version again, or restore its files from a backup."
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Style:
    """What was learned. `vectors` (motifs, 384) are unit vectors of the motifs' words; `works` titles by hash."""

    palette: Palette
    traits: Traits
    motifs: tuple[Motif, ...]
    vectors: Vectors = field(repr=False)
    works: Mapping[str, str]
    hashes: Mapping[str, str] = field(default_factory=dict)
    """PDQ of each work as a whole, by its hash: no piece may be one of them."""


def save(style: Style, folder: Path) -> str:
    """Write the files. Returns the name of the adapter: one hash over all of them."""
    (folder / "motifs").mkdir(parents=True, exist_ok=True)
    told = []
    for number, (motif, vector) in enumerate(zip(style.motifs, style.vectors, strict=True), 1):
        name = f"motifs/{number:03}.svg"
        title = motif.words[0] if motif.words else f"Motif {number}"
        (folder / name).write_bytes(svg_of(motif.item, motif.box, title=title))
        told.append(
            {
                "file": name,
                "name": motif.name,
                "work": motif.work,
                "words": list(motif.words),
                "named": motif.named,
                "whole": motif.whole,
                "ground": motif.ground,
                "vector": _packed(vector),
            }
        )
    document = {
        "format": FORMAT,
        "palette": [asdict(swatch) for swatch in style.palette.swatches],
        "together": [[round(each, 3) for each in row] for row in style.palette.together],
        "traits": asdict(style.traits),
        "works": dict(style.works),
        "motifs": told,
        "hashes": dict(style.hashes),
    }
    (folder / "style.json").write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    return adapter_sha256(folder)


def adapter_sha256(folder: Path) -> str:
    """One hash over the names and bytes of all files of an adapter, in order of name."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            whole.update(f"{path.relative_to(folder).as_posix()}\n{hashlib.sha256(raw).hexdigest()}\n".encode())
    return whole.hexdigest()


def load(folder: Path) -> Style:
    """Read an adapter of anybody's. Errors: AdapterInvalid naming the file."""
    try:
        told = json.loads((folder / "style.json").read_text(encoding="utf-8"))
        if told["format"] not in (FORMAT, *EARLIER):
            raise ValueError(f"unknown format “{told['format']}”")
        palette = Palette(
            tuple(Swatch(**swatch) for swatch in told["palette"]),
            tuple(tuple(map(float, row)) for row in told["together"]),
        )
        motifs = tuple(_motif(folder, each, number) for number, each in enumerate(told["motifs"], 1))
        vectors = (
            np.stack([_unpacked(each["vector"]) for each in told["motifs"]]) if motifs else np.zeros((0, 384), "f4")
        )
        return Style(palette, _traits(told["traits"]), motifs, vectors, told["works"], told["hashes"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise AdapterInvalid(f"The adapter cannot be read: {error}.", where="style.json", remedy=REMEDY) from error


def _traits(told: Mapping[str, Any]) -> Traits:
    return Traits(**{**told, "families": tuple(map(str, told["families"]))})


def _motif(folder: Path, told: Mapping[str, Any], number: int) -> Motif:
    name = str(told["file"])
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError(f"a motif lies outside the adapter: {name}")
    try:
        read = read_svg((folder / name).read_bytes(), name)
    except (OSError, Unreadable) as error:
        raise AdapterInvalid("A motif of the adapter cannot be read.", where=name, remedy=REMEDY) from error
    made = looked_at(
        read.scene.root,
        work=str(told["work"]),
        words=tuple(map(str, told["words"])),
        named=bool(told["named"]),
        whole=bool(told["whole"]),
        ground=told["ground"],
    )
    if made is None:
        raise AdapterInvalid("A motif of the adapter is empty.", where=name, remedy=REMEDY)
    return replace(made, name=str(told.get("name", number)))


def _packed(vector: Vectors) -> str:
    """A unit vector in bytes: ±127 for its largest part. Cosines change by less than a hundredth."""
    scale = 127 / max(float(np.abs(vector).max()), 1e-9)
    return base64.b64encode(np.rint(vector * scale).astype(np.int8).tobytes()).decode()


def _unpacked(text: str) -> Vectors:
    raw = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.int8).astype(np.float32)
    return np.asarray(raw / max(float(np.linalg.norm(raw)), 1e-9), dtype=np.float32)
