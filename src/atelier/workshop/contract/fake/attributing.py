"""Which works taught the fake engine the word pairs of a text."""

from __future__ import annotations

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from atelier.workshop.contract.errors import AdapterInvalid, Unreadable, Untold
from atelier.workshop.contract.specs import Attribution, Sha256, Share

from .bigrams import BOUNDARY, Counts, words

METHOD = "shared word pairs, 1"
KEPT = "works.json"
RESAMPLES = 400
AGAIN = "Train the version again."


def kept(texts: Mapping[Sha256, str], adapter_sha256: Sha256) -> bytes:
    """What is laid beside an adapter to tell later what each of its works taught it."""
    works = {}
    for sha256, text in sorted(texts.items()):
        counts = Counts()
        counts.add(text)
        works[sha256] = counts.to_json()
    return json.dumps({"adapter": adapter_sha256, "works": works}, ensure_ascii=False).encode()


def attribute(adapter: Path, output: Path) -> Attribution:
    """Each word pair of a text goes in equal parts to the works that have it; intervals by resampling the pairs."""
    works = _works(adapter)
    try:
        sequence = [BOUNDARY, *words(output.read_text(encoding="utf-8"))]
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable("The output cannot be read.", where=output.name, remedy="Make it again.") from error
    teachers = [
        [sha256 for sha256, counts in works.items() if word in counts.pairs.get(previous, ())]
        for previous, word in pairwise(sequence)
    ]
    if not teachers:
        return Attribution(method=METHOD)
    chance = random.Random(0)
    drawn = [_parts(chance.choices(teachers, k=len(teachers))) for _ in range(RESAMPLES)]
    found = []
    for sha256, value in _parts(teachers).items():
        spread = sorted(parts.get(sha256, 0.0) for parts in drawn)
        low, high = spread[RESAMPLES // 40], spread[-RESAMPLES // 40]
        if low > 0:  # What might as well be nothing does not stand out.
            found.append(Share(work=sha256, value=value, low=min(low, value), high=max(high, value)))
    found.sort(key=lambda share: (-share.value, share.work))
    return Attribution(method=METHOD, shares=tuple(found), told=min(1.0, sum(share.value for share in found)))


def _parts(teachers: Sequence[Sequence[Sha256]]) -> dict[Sha256, float]:
    parts: dict[Sha256, float] = defaultdict(float)
    for each in teachers:
        for sha256 in each:
            parts[sha256] += 1 / len(each) / len(teachers)
    return parts


def _works(adapter: Path) -> dict[Sha256, Counts]:
    try:
        data = json.loads((adapter / KEPT).read_bytes())
        same = data["adapter"] == hashlib.sha256((adapter / "adapter.json").read_bytes()).hexdigest()
        works = {sha256: Counts.from_json(pairs) for sha256, pairs in data["works"].items()}
    except FileNotFoundError as error:
        raise Untold("Nothing was kept of the works of this version.", where=adapter.name, remedy=AGAIN) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AdapterInvalid("What was kept of the works is damaged.", where=KEPT, remedy=AGAIN) from error
    if not same:
        raise AdapterInvalid("What was kept of the works belongs to another adapter.", where=KEPT, remedy=AGAIN)
    return works
