"""The folders commands write: labelled by atelier.json, put in place whole, and never over a person's own files."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from atelier.workshop.contract import AdapterInvalid, Guardrails, Spec

from .console import BadInput
from .works import read_json

LABEL = "atelier.json"


class Label(Spec):
    """What a folder holds. `files` are those that `--force` may replace."""

    format: Literal["atelier-output-1"] = "atelier-output-1"
    kind: Literal["adapter", "outputs"]
    atelier: str
    engine: str
    engine_version: str
    base: dict[str, Any]
    adapter_sha256: str
    adapter: str = ""
    dataset_sha256: str = ""
    works: int = 0
    seed: int
    guardrails: Guardrails = Guardrails()
    files: tuple[str, ...] = ()


def adapter_of(folder: Path) -> tuple[Path, Label]:
    """The adapter's own folder and its label, given the folder that `train` wrote or the adapter in it.

    Errors: AdapterInvalid.
    """
    for place in (folder, folder.parent):
        label = read_label(place)
        if label and label.kind == "adapter":
            return place / label.adapter, label
    raise AdapterInvalid(
        f"There is no {LABEL} that describes an adapter.", where=str(folder), remedy="Name a folder that `train` wrote."
    )


def read_label(folder: Path) -> Label | None:
    """The label of a folder, None where there is none. Errors: AdapterInvalid when it is damaged."""
    path = folder / LABEL
    if not path.is_file():
        return None
    try:
        label = Label.model_validate(read_json(path))
    except (ValidationError, BadInput) as error:
        raise AdapterInvalid("The label is damaged.", where=str(path), remedy="Train again.") from error
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in (*label.files, label.adapter)):
        raise AdapterInvalid("The label names files outside its folder.", where=str(path), remedy="Train again.")
    return label


def check_out(out: Path, *, force: bool) -> None:
    """Errors: BadInput when the folder holds something that must not be replaced."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise BadInput("It is not a folder.", where=str(out), remedy="Name a new folder.")
    if not out.exists() or not any(out.iterdir()):
        return
    with contextlib.suppress(AdapterInvalid):
        if read_label(out):
            if force:
                return
            raise BadInput("The folder holds an earlier result.", where=str(out), remedy="Replace it with --force.")
    raise BadInput("The folder is not empty.", where=str(out), remedy="Name a new or empty folder.")


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """A folder beside `out` in which to work; it is gone afterwards, whatever happened."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".atelier-", dir=out.parent)).absolute()
    except OSError as error:
        raise BadInput(f"It cannot be written: {error.strerror}.", where=str(out), remedy="Choose another.") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(result: Path, out: Path, label: Label) -> None:
    """Move finished files to where they were asked for. The label comes last: without it nothing counts as done."""
    files = sorted(p.relative_to(result).as_posix() for p in result.rglob("*") if p.is_file())
    former = read_label(out)
    if former:
        (out / LABEL).unlink()
        for name in former.files:
            (out / name).unlink(missing_ok=True)
    for name in files:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (result / name).replace(out / name)
    text = label.model_copy(update={"files": tuple(files)}).model_dump_json(indent=2)
    unfinished = out / f".{LABEL}"
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(out / LABEL)
