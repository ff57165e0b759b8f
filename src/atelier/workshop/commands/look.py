"""`atelier engines` and `atelier inspect`: what can be done, and what is in a file."""

from __future__ import annotations

import tempfile
from pathlib import Path

from atelier.workshop.contract import Progress, WorkshopError
from atelier.workshop.contract.registry import engine as engine_named
from atelier.workshop.contract.registry import engines
from atelier.workshop.runtime import Runtime

from .console import Console
from .works import upload_of


def list_engines(console: Console) -> None:
    """Say which engines this installation has."""
    found = [engine.capabilities() for engine in engines().values()]
    if console.as_json:
        console.document({"engines": [capabilities.model_dump(mode="json") for capabilities in found]})
        return
    for capabilities in found:
        console.say(f"{capabilities.engine} {capabilities.version}: {capabilities.title}")
        console.say(f"  crafts   {', '.join(category.title for category in capabilities.categories)}")
        console.say(f"  accepts  {', '.join(kind.suffix for kind in capabilities.accepts)}")
        console.say(f"  delivers {', '.join(form.suffix for form in capabilities.formats)}")
        console.say(f"  base     {capabilities.base.name} ({capabilities.base.licence})")


def inspect_files(engine: str, files: list[Path], runtime: Runtime, console: Console) -> bool:
    """Say what an engine finds in files. True when every file can be used."""
    capabilities = engine_named(engine).capabilities()
    rows: list[dict[str, object]] = []
    usable = True
    with tempfile.TemporaryDirectory(prefix="atelier-") as folder:
        for number, path in enumerate(files):
            console.progress(Progress(stage="reading", done=number, planned=len(files), note=path.name))
            workspace = Path(folder) / str(number)
            workspace.mkdir()
            try:
                found = runtime.inspect(engine, upload_of(path), workspace)
            except WorkshopError as error:
                usable = False
                reason = {"code": error.code, "message": error.message, "remedy": error.remedy}
                rows.append({"file": str(path), "error": reason})
                if not console.as_json:
                    console.note(f"{path}: {error}")
                continue
            rows.append({"file": str(path), **found.model_dump(mode="json")})
            if not console.as_json:
                for piece in found.pieces:
                    console.say(f"{path}: {piece.title} ({piece.extent} {capabilities.extent_unit})")
                for refusal in found.refusals:
                    console.note(f"{refusal.where}: {refusal.message} {refusal.remedy}")
        console.progress(Progress(stage="reading", done=len(files), planned=len(files)))
    if console.as_json:
        console.document({"files": rows})
    return usable
