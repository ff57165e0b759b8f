"""Finds the works in a folder: files of any kind the engine accepts, and what works.json says about them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from atelier.workshop.contract import (
    Capabilities,
    Inspection,
    Piece,
    Progress,
    Refusal,
    Upload,
    WorkFile,
    WorkshopError,
)
from atelier.workshop.runtime import Runtime

from .console import BadInput, Console

NOTES = "works.json"


class Note(BaseModel):
    """What works.json says of one file; what it does not say is taken from the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    title: str = ""
    tags: tuple[str, ...] = ()
    description: str = ""


class Found:
    """The works of a folder, and what could not be used with the reasons."""

    def __init__(self) -> None:
        self.works: list[WorkFile] = []
        self.refusals: list[Refusal] = []
        self._seen: dict[str, str] = {}

    @property
    def dataset_sha256(self) -> str:
        """Names the works and what is said of them, whatever the order of files."""
        rows = sorted(work.model_dump_json(exclude={"id", "path"}) for work in self.works)
        return hashlib.sha256("\n".join(rows).encode()).hexdigest()

    def add(self, name: str, inspection: Inspection, folder: Path, note: Note) -> None:
        """Take the pieces of one file; a piece that another file holds already is taken once."""
        self.refusals += inspection.refusals
        several = len(inspection.pieces) > 1
        for number, piece in enumerate(inspection.pieces, start=1):
            identity = f"{name}#{number}" if several else name
            if piece.sha256 in self._seen:
                self.refuse(
                    identity, "duplicate", f"It is the same as {self._seen[piece.sha256]}.", "Remove one of them."
                )
                continue
            self._seen[piece.sha256] = identity
            self.works.append(_work(identity, piece, folder, note, several))

    def refuse(self, where: str, code: str, message: str, remedy: str) -> None:
        self.refusals.append(Refusal(where=where, code=code, message=message, remedy=remedy))


def find_works(runtime: Runtime, capabilities: Capabilities, folder: Path, workspace: Path, console: Console) -> Found:
    """Inspect every file of a folder and of those in it; hidden ones are passed over.

    Errors: BadInput when the folder or its works.json cannot be used; Cancelled. A file that cannot be used is a
    refusal in the result, not an error.
    """
    if not folder.is_dir():
        raise BadInput("There is no such folder.", where=str(folder), remedy="Name the folder that holds the works.")
    notes = _notes(folder)
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and not _hidden(p, folder) and p != folder / NOTES]
    found = Found()
    suffixes = tuple(kind.suffix for kind in capabilities.accepts)
    for number, path in enumerate(files):
        console.progress(Progress(stage="reading", done=number, planned=len(files), note=path.name))
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in suffixes:
            found.refuse(name, "kind", "This kind of file is not accepted.", f"Use {', '.join(suffixes)}.")
            continue
        place = workspace / str(number)
        place.mkdir(parents=True)
        try:
            inspection = runtime.inspect(capabilities.engine, upload_of(path), place)
        except WorkshopError as error:
            found.refuse(name, error.code, error.message, error.remedy)
            continue
        found.add(name, inspection, place, notes.get(name, Note(file=name)))
    console.progress(Progress(stage="reading", done=len(files), planned=len(files)))
    return found


def upload_of(path: Path) -> Upload:
    """A file as the engine sees it. Errors: BadInput when it cannot be opened."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise BadInput(f"It cannot be opened: {error.strerror}.", where=str(path), remedy="Check its name.") from error
    return Upload(path=str(path.absolute()), filename=path.name, sha256=digest, bytes=size)


def read_json(path: Path) -> object:
    """The JSON a person wrote. Errors: BadInput naming the file, and the line where it goes wrong."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput(f"It cannot be opened: {error.strerror}.", where=str(path), remedy="Check its name.") from error
    except UnicodeDecodeError as error:
        raise BadInput("It is not UTF-8 text.", where=str(path), remedy="Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        where = f"{path}, line {error.lineno}"
        raise BadInput(f"It is not valid JSON: {error.msg}.", where=where, remedy="Correct that line.") from error
    except RecursionError as error:
        raise BadInput("It is nested too deeply.", where=str(path), remedy="Write it flat.") from error


def _notes(folder: Path) -> dict[str, Note]:
    path = folder / NOTES
    if not path.exists():
        return {}
    data = read_json(path)
    if not isinstance(data, list):
        raise BadInput("It must be a list of objects.", where=NOTES, remedy="Write [{“file”: …, “title”: …}, …].")
    notes = {}
    for number, entry in enumerate(data, start=1):
        try:
            note = Note.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "it"
            where = f"{NOTES}, entry {number}"
            raise BadInput(
                f"{field}: {first['msg']}.", where=where, remedy="Allowed are file, title, tags and description."
            ) from error
        target = (folder / note.file).resolve()
        if not target.is_relative_to(folder.resolve()) or not target.is_file():
            where = f"{NOTES}, entry {number}"
            raise BadInput(f"There is no file “{note.file}” in the folder.", where=where, remedy="Correct its name.")
        notes[target.relative_to(folder.resolve()).as_posix()] = note
    return notes


def _work(identity: str, piece: Piece, folder: Path, note: Note, several: bool) -> WorkFile:
    return WorkFile(
        id=identity,
        path=str((folder / piece.file).absolute()),
        sha256=piece.sha256,
        title=piece.title if several or not note.title else note.title,
        tags=note.tags or piece.tags,
        description=note.description or piece.description,
        language=piece.language,
    )


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
