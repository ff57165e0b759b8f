"""`atelier train`: a folder of works becomes an adapter and the proof of what it learned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from atelier.workshop.contract import Capabilities, FileRef, Guardrails, TooFewWorks, TrainResult, TrainSpec
from atelier.workshop.contract.registry import engine as engine_named
from atelier.workshop.runtime import Runtime

from .console import BadInput, Console
from .outputs import Label, check_out, put_in_place, staging
from .works import Found, find_works, read_json


@dataclass(frozen=True)
class TrainRequest:
    """What the person asked for."""

    engine: str
    works: Path
    out: Path
    seed: int = 0
    category: str = ""
    guardrails: Path | None = None
    recipe: tuple[str, ...] = ()
    force: bool = False


def train(request: TrainRequest, runtime: Runtime, console: Console) -> None:
    """Train and say what came of it. Errors: those of the contract; BadInput."""
    capabilities = engine_named(request.engine).capabilities()
    check_out(request.out, force=request.force)
    recipe = _recipe(request.recipe)
    guardrails = read_guardrails(request.guardrails) if request.guardrails else Guardrails()
    with staging(request.out) as workspace:
        found = find_works(runtime, capabilities, request.works, workspace / "works", console)
        for refusal in found.refusals:
            console.note(f"left out: {refusal.where}: {refusal.message} {refusal.remedy}")
        if not found.works:
            accepted = ", ".join(kind.suffix for kind in capabilities.accepts)
            raise TooFewWorks(f"No work could be read in {request.works}.", remedy=f"Put {accepted} files there.")
        if len(found.works) < capabilities.limits.works_advised:
            console.note(f"{len(found.works)} works: {capabilities.limits.works_advised} or more are advised.")
        spec = TrainSpec(
            works=tuple(found.works),
            dataset_sha256=found.dataset_sha256,
            seed=request.seed,
            category=request.category,
            guardrails=guardrails,
            recipe=recipe,
        )
        run = workspace / "run"
        run.mkdir()
        result = runtime.train(request.engine, spec, run, console.progress)
        _keep(run, result, workspace / "result", request.out, _label(request, capabilities, spec, result))
    console.finish()
    if console.as_json:
        console.document(_document(request, found, result))
    else:
        _tell(request, result, console)


def read_guardrails(path: Path) -> Guardrails:
    """Guardrails from a JSON file. Errors: BadInput naming the field."""
    try:
        return Guardrails.model_validate(read_json(path))
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"])) or "it"
        remedy = "Give lists of texts: subjects_refused, words_never."
        raise BadInput(f"{field}: {error.errors()[0]['msg']}.", where=str(path), remedy=remedy) from error


def _recipe(pairs: tuple[str, ...]) -> dict[str, float | int | str | bool]:
    """`name=value` pairs; values are read as JSON where they are numbers or truth values, and as text otherwise."""
    recipe: dict[str, float | int | str | bool] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not name or not sign:
            raise BadInput(f"“{pair}” is not a setting.", where="--recipe", remedy="Write it as name=value.")
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        recipe[name] = read if isinstance(read, float | int | bool) else value
    return recipe


def _label(request: TrainRequest, capabilities: Capabilities, spec: TrainSpec, result: TrainResult) -> Label:
    return Label(
        kind="adapter",
        atelier=version("atelier"),
        engine=request.engine,
        engine_version=capabilities.version,
        base=capabilities.base.model_dump(),
        adapter_sha256=result.adapter_sha256,
        adapter="adapter",
        dataset_sha256=spec.dataset_sha256,
        works=len(spec.works),
        seed=spec.seed,
        guardrails=spec.guardrails,
    )


def _keep(run: Path, result: TrainResult, kept: Path, out: Path, label: Label) -> None:
    """Move the adapter and its papers out; what else the engine wrote is left behind."""
    for file in result.adapter_files:
        target = kept / "adapter" / Path(file.path).relative_to(result.adapter_dir)
        target.parent.mkdir(parents=True, exist_ok=True)
        (run / file.path).replace(target)
    _keep_pictures(run, result, kept)
    for name, data in (("evaluation.json", result.evaluation.model_dump(mode="json")), ("card.json", result.card)):
        (kept / name).write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    put_in_place(kept, out, label)


def _keep_pictures(run: Path, result: TrainResult, kept: Path) -> None:
    """Lay sheets and parts beside the adapter: pictures in folders, and what they are in parts.json and sheets.json."""
    sheets = [
        {**sheet.model_dump(exclude={"picture"}), "file": _keep_picture(run, sheet.picture, kept, f"sheets/{number}")}
        for number, sheet in enumerate(result.sheets, 1)
    ]
    parts = [
        {
            **part.model_dump(exclude={"picture"}),
            "file": part.picture and _keep_picture(run, part.picture, kept, f"parts/{number}"),
        }
        for number, part in enumerate(result.parts, 1)
    ]
    for name, rows in (("sheets.json", sheets), ("parts.json", parts)):
        if rows:
            (kept / name).write_text(json.dumps(rows, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _keep_picture(run: Path, file: FileRef, kept: Path, name: str) -> str:
    """Where a picture lies now, in the folder of the result."""
    target = kept / f"{name}{Path(file.path).suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    (run / file.path).replace(target)
    return target.relative_to(kept).as_posix()


def _document(request: TrainRequest, found: Found, result: TrainResult) -> dict[str, Any]:
    return {
        **result.evaluation.flat(),
        "adapter": str(request.out),
        "adapter_sha256": result.adapter_sha256,
        "dataset_sha256": found.dataset_sha256,
        "engine": request.engine,
        "seed": request.seed,
        "works": len(found.works),
        "held_out": len(result.evaluation.held_out),
        "sheets": [{"title": sheet.title, "told": sheet.told} for sheet in result.sheets],
        "parts": [{"name": part.name, "title": part.title, "group": part.group} for part in result.parts],
        "refusals": [refusal.model_dump() for refusal in found.refusals],
        "seconds": round(result.seconds, 3),
        "peak_memory_bytes": result.card.get("peak_memory_bytes"),
    }


def _tell(request: TrainRequest, result: TrainResult, console: Console) -> None:
    proof = result.evaluation
    console.say(proof.summary)
    for question in ("fidelity", "worth", "copying", "safety"):
        answer = getattr(proof, question)
        console.say(f"  {question:<9} {answer.verdict:<8} {answer.sentence}")
    if not proof.publishable:
        console.say("  By this proof it is not to be published: think twice before you offer it.")
    for sheet in result.sheets:
        console.say(f"  {sheet.title}: {sheet.told}")
    console.say(f"The adapter is in {request.out} ({result.seconds:.0f} s).")
