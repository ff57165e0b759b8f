"""`atelier bench`: the measurements of benchmarks/ by engine, run from a checkout and told in one place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from .console import BadInput, Console

BENCHMARKS = Path(__file__).resolve().parents[4] / "benchmarks"


@dataclass(frozen=True)
class Section:
    """A file of benchmarks/, what it measures, and what it is given to be quick. `keeps` where it is told to keep what
    it need not do again; `peer` where it races one peer, whose environment it makes itself; `takes` the names of the
    request's numbers and folders that it is told."""

    script: str
    what: str
    quick: tuple[str, ...] = ()
    keeps: bool = False
    peer: str = ""
    engine: str = "text"
    takes: tuple[str, ...] = ()


SECTIONS = {
    "serving": Section(
        "serving.py",
        "writing for many creators at once, beside other servers",
        ("--quick",),
        takes=("rounds", "tokens"),
    ),
    "adapters": Section("adapters.py", "a thousand adapters on one machine", ("--adapters", "100", "--rounds", "1")),
    "training": Section("training_race.py", "training beside the usual recipe", ("--quick",), peer="trl"),
    "proof": Section("proof.py", "how well the proof tells authors apart", ("--no-falls",)),
    "briefs": Section("briefs.py", "how well briefs are followed", ("--briefs", "10")),
    "marks": Section("marks.py", "how well the hidden mark is found", ("--briefs", "4", "--keys", "50")),
    "attribution": Section(
        "attribution.py", "whose works shaped an output", ("--works", "4", "--outputs", "4"), keeps=True
    ),
    "pieces": Section(
        "design.py",
        "previews, masters, learning, and renderers side by side",
        ("--quick",),
        peer="cairosvg",
        engine="design",
        takes=("rounds", "works"),
    ),
    "hands": Section(
        "hands.py",
        "whose hand made a piece, of ten real designers",
        ("--designers", "3", "--works", "36"),
        engine="design",
    ),
}
USUAL = {"text": ("serving",), "design": ("pieces",)}


@dataclass(frozen=True)
class BenchRequest:
    """What the person asked for. `file` is where the document goes beside the tables; `works` is a folder of
    SVG to measure with."""

    only: tuple[str, ...] = USUAL["text"]
    peers: tuple[str, ...] = ()
    prepare: bool = False
    rounds: int | None = None
    tokens: int | None = None
    quick: bool = False
    file: Path | None = None
    works: Path | None = None


def bench(request: BenchRequest, console: Console, folder: Path = BENCHMARKS) -> bool:
    """Run the sections one after another. True when all of them could be measured.

    The document has a key for each section, `failed` with the reason of those that broke, and of serving `ratios`,
    `ratios_sampled` and `goals` at the top. Errors: BadInput for an unknown section, or where there is no checkout.
    """
    if unknown := [name for name in request.only if name not in SECTIONS]:
        raise BadInput(f"There is no section “{unknown[0]}”.", where="--only", remedy=f"Write {', '.join(SECTIONS)}.")
    if not (folder / SECTIONS["serving"].script).is_file():
        raise BadInput(
            "The benchmarks are not here: they are no part of the installed package.",
            where=str(folder),
            remedy="Run bin/atelier in a checkout of the repository.",
        )
    document: dict[str, Any] = {}
    failed: dict[str, str] = {}
    for name in request.only:
        console.check()
        section = SECTIONS[name]
        console.note(f"{name}: {section.what} …")
        if request.prepare and section.peer and not _peer(section, request):
            command = [sys.executable, str(folder / section.script), "--prepare", str(_cache(section.peer))]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        found, why = _run(folder / section.script, _arguments(name, request), console)
        if why:
            failed[name] = why
            console.note(f"{name} could not be measured: {why}")
            continue
        document[name] = found
        if not console.as_json:
            console.say(f"{name}: {section.what}\n")
            for line in readable(name, found, folder):
                console.say(line)
            console.say()
    serving = document.get("serving", {})
    told = {key: serving[key] for key in ("ratios", "ratios_sampled", "goals") if key in serving}
    document = {**told, **document, "failed": failed}
    if console.as_json:
        console.document(document)
    if request.file is not None:
        request.file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return not failed


def _arguments(name: str, request: BenchRequest) -> list[str]:
    section = SECTIONS[name]
    given = ["--json", *(section.quick if request.quick else ())]
    if section.keeps:
        given += ["--keep", str(_cache(name))]
    if section.peer and (python := _peer(section, request)):
        given += ["--peer", python]
    if name == "serving":
        given += [word for peer in _servers(request) for word in ("--peer", peer)]
        given += ["--prepare"] if request.prepare else []
    for option in section.takes:
        value = getattr(request, option)
        given += [f"--{option}", str(value)] if value is not None else []
    return given


def _servers(request: BenchRequest) -> list[str]:
    """The peers that were named, without those of other sections."""
    others = {section.peer for section in SECTIONS.values() if section.peer}
    return [peer for peer in request.peers if peer.partition("=")[0] not in others]


def _peer(section: Section, request: BenchRequest) -> str:
    """The interpreter of a section's own peer: as named, or as prepared; empty where there is none."""
    named = dict(peer.split("=", 1) for peer in request.peers if "=" in peer)
    prepared = _cache(section.peer) / "bin" / "python"
    return named.get(section.peer) or (str(prepared) if prepared.is_file() else "")


def _cache(name: str) -> Path:
    return Path(os.environ.get("ATELIER_CACHE") or user_cache_dir("atelier")) / "bench" / name


def _run(script: Path, arguments: list[str], console: Console) -> tuple[dict[str, Any], str]:
    """A script's document, or why there is none. What it says on the way is passed on."""
    if not script.is_file():
        return {}, f"{script.name} is not among the benchmarks"
    words: list[str] = []
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        command = [sys.executable, str(script), *arguments]
        with subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            for line in process.stderr:
                words = [*words, line.strip()][-3:]
                console.note(line.rstrip())
        out.seek(0)
        told = out.read()
    try:
        found = json.loads(told.strip().splitlines()[-1]) if process.returncode == 0 else None
    except (ValueError, IndexError):
        found = None
    if isinstance(found, dict):
        return found, ""
    return {}, f"{script.name} ended with code {process.returncode}: {' '.join(words)}"


def readable(name: str, found: dict[str, Any], folder: Path) -> list[str]:
    """A section's document as lines: serving's own tables, and of others tables of whatever rows they have."""
    if name == "serving":
        sys.path.insert(0, str(folder))
        try:
            from serving_table import lines  # type: ignore[import-not-found, unused-ignore]
        finally:
            sys.path.remove(str(folder))
        return list(lines(found))
    return _lines("", found)


def _lines(place: str, value: Any) -> list[str]:
    """A table of a list of rows; of anything else a line for each value, named by where it stands."""
    if isinstance(value, dict):
        return [line for key, each in value.items() for line in _lines(f"{place}.{key}" if place else str(key), each)]
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        names = list(
            dict.fromkeys(key for row in value for key, each in row.items() if not isinstance(each, list | dict))
        )
        rows = [names, *([_figure(row.get(key)) for key in names] for row in value)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(names))]
        table = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return [*([f"{place}:"] if place else []), *table]
    return [f"{place}  {_figure(value)}"]


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_figure(each) for each in value)
    return "" if value is None else str(value)
