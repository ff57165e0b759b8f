"""Which works shaped a text: those that pulled the adapter the way the text does.

In training the pull of each work is kept beside the adapter, folded small (see `gradients`), at no cost worth naming:
training works it out anyway. Later the pull of an output is set beside them. The works are not needed for it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import AdapterInvalid, Attribution, Unreadable, Untold

from .base import Base
from .device import device
from .examples import answered
from .lora import adapter_sha256, load
from .prompts import validate_brief
from .shares import METHOD, PARTS, shares_of
from .splits import Text

if TYPE_CHECKING:
    from .fitting import Fit

KEPT = "works.safetensors"
"""Lies beside the adapter's own files and has no part in its name: an adapter without it writes as well."""
LONGEST = 512
"""An output is read in stretches of so many tokens."""
AGAIN = "Train the version again: from then on it can be told."
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Pulls:
    """Of each work, named by the hash of its file, the pull on the adapter: (works, folds.SIZE), at length one."""

    works: tuple[str, ...]
    pulls: Array


def pulls_of(found: Fit, texts: Sequence[Text]) -> Pulls:
    """The pulls of the works that an adapter was fitted to with `pulls`. Works with the same bytes are one."""
    from .folds import SIZE, unit

    once: dict[str, Array] = {}
    for number, text in enumerate(texts):
        pull = found.pulls.get(number, np.zeros(SIZE, np.float32))
        once[text.work.sha256] = once.get(text.work.sha256, 0) + pull
    return Pulls(tuple(once), unit(np.stack(list(once.values()))))


def keep(found: Pulls, folder: Path, sha256: str) -> None:
    """Write the pulls into the folder of the adapter with this name, in half precision."""
    from safetensors.numpy import save_file

    metadata = {"adapter": sha256, "works": json.dumps(found.works)}
    save_file({"pulls": found.pulls.astype(np.float16)}, folder / KEPT, metadata)


def attribute(base: Base, adapter: Path, output: Path, brief: dict[str, Any]) -> Attribution:
    """See the contract. Reads the output forward and back once."""
    from .folds import Folds
    from .gradients import folded
    from .llama import Llama

    valid, lora, kept = validate_brief(brief), load(adapter, base), _kept(adapter)
    try:
        text = output.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable("The output cannot be read.", where=output.name, remedy="Make it again.") from error
    model, folds = Llama(base, device=device()), Folds(lora)
    stretches = answered(valid, text, base.tokenizer(), LONGEST)
    parts = [folded(model, lora, folds, each, min(PARTS, each.targets)) for each in stretches]
    return Attribution(method=METHOD, **shares_of(kept.works, kept.pulls, np.concatenate(parts)))


def _kept(adapter: Path) -> Pulls:
    """Errors: Untold for an adapter without them; AdapterInvalid when they are damaged or another adapter's."""
    from safetensors import SafetensorError, safe_open

    path = adapter / KEPT
    if not path.is_file():
        raise Untold("This version was trained before anything was kept of its works.", where=KEPT, remedy=AGAIN)
    try:
        with safe_open(path, framework="np") as file:
            told, pulls = file.metadata(), file.get_tensor("pulls").astype(np.float32)
        found, own = Pulls(tuple(json.loads(told["works"])), pulls), told["adapter"]
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise AdapterInvalid("What was kept of the works is damaged.", where=KEPT, remedy=AGAIN) from error
    if own != adapter_sha256(adapter) or len(found.works) != len(pulls):
        raise AdapterInvalid("What was kept of the works belongs to another adapter.", where=KEPT, remedy=AGAIN)
    return found
