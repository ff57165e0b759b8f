"""`atelier verify`: was a file made here, or by a model whose mark key is at hand, and how sure is that."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atelier.workshop.contract import Unreadable
from atelier.workshop.runtime import Runtime

from .console import BadInput, Console
from .verify_site import Site

SURE = 0.001
"""A mark counts as found when a file without it would look so less often than this, over all keys together."""

_KEY = re.compile(r"(?:[0-9a-f]{2}){16,64}")


@dataclass(frozen=True)
class VerifyRequest:
    """What the person asked for. With key files the file is read here; without, a site is asked."""

    file: Path
    keys: tuple[Path, ...] = ()
    engine: str = "text"
    site: str = ""


def verify(request: VerifyRequest, runtime: Runtime, console: Console) -> None:
    """Say what is known of a file, and what mark it carries. Errors: BadInput; those of the contract."""
    try:
        raw = request.file.read_bytes()
    except OSError as error:
        raise BadInput(
            f"It cannot be read: {error.strerror}.", where=str(request.file), remedy="Name a file."
        ) from error
    sha256 = hashlib.sha256(raw).hexdigest()
    told = _by_keys(request, runtime) if request.keys else _by_site(request, raw, sha256, console)
    if console.as_json:
        console.document({"file": str(request.file), "sha256": sha256, **told})
        return
    for line in _lines(told):
        console.say(line)


def _by_keys(request: VerifyRequest, runtime: Runtime) -> dict[str, Any]:
    keys = {str(path): read_key(path) for path in request.keys}
    traces = runtime.detect(request.engine, request.file.absolute(), list(keys.values()))
    rows: list[dict[str, Any]] = [
        {"key": name, "p_value": min(1.0, trace.p_value * len(keys))} for name, trace in zip(keys, traces, strict=True)
    ]
    found = sorted((row for row in rows if row["p_value"] < SURE), key=lambda row: row["p_value"])
    enough = any(trace.enough for trace in traces)
    verdict = "found" if found else "none" if enough else "short"
    return {"verdict": verdict, "by": "keys", "found": found, "readings": rows, "places": traces[0].places}


def read_key(path: Path) -> str:
    """The mark key in a file. Errors: BadInput."""
    remedy = "Write 16 to 64 random bytes in hexadecimal into it, as “openssl rand -hex 32” does."
    try:
        key = path.read_text("ascii").strip().lower()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("The key cannot be read.", where=str(path), remedy=remedy) from error
    if not _KEY.fullmatch(key):
        raise BadInput("This is no mark key.", where=str(path), remedy=remedy)
    return key


def _by_site(request: VerifyRequest, raw: bytes, sha256: str, console: Console) -> dict[str, Any]:
    """What a site knows of the file by its hash, or else by the mark in its text."""
    site = Site(request.site)
    record = site.record(sha256)
    if record is not None:
        return {"verdict": "known", "by": "hash", "site": site.address, "record": record}
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            "No file with this hash is known, and it is no plain text in which a mark could be.",
            where=str(request.file),
            remedy="Try it as it was downloaded, or save its text as plain text.",
        ) from error
    return {"by": "mark", "site": site.address, **site.marks(text, console.check)}


def _lines(told: dict[str, Any]) -> list[str]:
    """The answer in words."""
    if told["verdict"] == "known":
        return _known(told)
    if told["verdict"] == "short":
        return ["Too short to say: no mark shows, but so short a text might not show one."]
    if told["verdict"] == "none":
        return ["No mark found. That is no proof: a text that was rewritten or translated loses its mark."]
    if told["by"] == "keys":
        return [f"Marked with {row['key']}: files without it look so {_odds(row['p_value'])}." for row in told["found"]]
    return [
        f"Made by a creation model of {row['creator']['name']} (@{row['creator']['handle']}), wholly or in part: "
        f"a text without this mark would look like this {row['odds']}."
        for row in told["found"]
    ]


def _known(told: dict[str, Any]) -> list[str]:
    record = told["record"]
    facts = record.get("made_from_facts") or record["facts"]
    lines = [f"Known to {told['site']} as {record['kind']}, since {record['at']}."]
    creator, model = facts.get("creator"), facts.get("creation_model")
    if creator and model:
        lines.append(f"Made by {model['name']}, a creation model of {creator['name']} (@{creator['handle']}).")
    return lines


def _odds(p_value: float) -> str:
    return "less than once in a billion times" if p_value < 1e-9 else f"about once in {1 / p_value:,.0f} times"
