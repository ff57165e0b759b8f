"""Factories for tests: a published creation model with a trained version, samples asked for and made."""

from __future__ import annotations

import hashlib
import json
import tempfile
import uuid
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.html import escape

from atelier.market.accounts.models import Creator, User
from atelier.market.core import blobs
from atelier.market.core.testing import make_creator, make_user
from atelier.market.studio import showing
from atelier.market.studio.models import CreationModel, Dataset, DatasetWork, TrainingRun, Version
from atelier.market.works.models import Consent, Upload, Work
from atelier.market.works.testing import make_sheets
from atelier.workshop.contract import TrainResult, TrainSpec, WorkFile, engine

from . import actions
from .models import Generation, Output
from .tasks import generate

ENGINE = "fake"
_numbers = count(1)
_LINES = (
    "The bread is warm before the street is awake and the crust sings when it cools.",
    "A lamp in the window tells the late ones that soup is still on the stove.",
    "We mend the coat you love so that you can love it for another winter.",
    "Sit down and stay a while because the kettle has nowhere else to be.",
    "The knife is plain and sharp and will outlive the drawer it lies in.",
    "Every chair leaves the shop with the name of the tree it came from.",
)


def make_creation_model(
    creator: Creator | None = None,
    *,
    works: int = 6,
    pieces: Sequence[Work] = (),
    published: bool = True,
    **changes: Any,
) -> CreationModel:
    """A creation model with one version that a fake engine really trained, on works made for it or on those given."""
    number = next(_numbers)
    creator = creator or make_creator()
    model = CreationModel.objects.create(
        **{
            "creator": creator,
            "name": f"Warm lines {number}",
            "slug": f"warm-lines-{number}",
            "engine": ENGINE,
            "category": "copywriting",
            **changes,
        }
    )
    version = _version(model, pieces or [_work(creator, index) for index in range(works)])
    model.version = version
    if published:
        model.state = CreationModel.State.PUBLISHED
        model.published_at = timezone.now()
    model.save()
    return model


def make_picture_model(creator: Creator | None = None, **changes: Any) -> CreationModel:
    """The same of pictures."""
    creator = creator or make_creator()
    sheets = make_sheets(creator, 4)
    return make_creation_model(creator, pieces=sheets, **{"engine": "sketch", "category": "sketches", **changes})


def brief(subject: str = "a bakery", **more: Any) -> dict[str, Any]:
    """A brief that the fake engine takes."""
    return {"subject": subject, **more}


def wish(subject: str = "a bakery", *, samples: int = 2, key: str = "", **more: Any) -> actions.Wish:
    """A wish for samples under a key of its own."""
    return actions.Wish(brief=brief(subject), samples=samples, key=key or uuid.uuid4().hex, **more)


def make_samples(model: CreationModel | None = None, viewer: User | None = None, **more: Any) -> Generation:
    """Finished free samples of a published model, asked for by a viewer."""
    model = model or make_creation_model()
    asked = actions.ask_for_samples(actor=viewer or make_user(), creation_model=model, wish=wish(**more))
    return finished(asked)


def make_playground(model: CreationModel, **more: Any) -> Generation:
    """Finished samples of the creator's own playground."""
    assert model.version is not None
    return finished(actions.try_out(actor=model.creator.user, version=model.version, wish=wish(**more)))


def make_output(model: CreationModel | None = None, viewer: User | None = None) -> Output:
    """One finished output of a published model, in the hands of the viewer who briefed it."""
    return make_samples(model, viewer, samples=1).outputs.get()


def hidden_words(output: Output) -> str:
    """Words behind the opening of a text that occur nowhere in it, the same in HTML: what nobody may read unpaid."""
    whole, opening = blobs.read(output.blob).decode(), output.reduced["text"]
    rest = whole[len(opening) :].split()
    windows = (" ".join(rest[start : start + 4]) for start in range(len(rest) - 3))
    return next(words for words in windows if words not in opening and escape(words) == words)


def finished(generation: Generation) -> Generation:
    """Run a generation's job."""
    generate(generation_id=str(generation.pk))
    generation.refresh_from_db()
    return generation


def _work(creator: Creator, index: int) -> Work:
    content = f"{_LINES[index % len(_LINES)]} Written as number {index} by {creator.handle}.\n".encode() * 3
    blob = blobs.keep_bytes(content, "text/plain")
    upload = Upload.objects.create(
        creator=creator, engine=ENGINE, filename=f"{index}.txt", blob=blob, state=Upload.State.INSPECTED
    )
    work = Work.objects.create(
        creator=creator,
        upload=upload,
        position=0,
        engine=ENGINE,
        title=f"Piece {index}",
        extent=len(content.split()),
        excerpt=content.decode()[:120],
        blob=blob,
    )
    Consent.objects.create(work=work, given_by=creator.user)
    return work


def _version(model: CreationModel, works: Sequence[Work]) -> Version:
    dataset = Dataset.objects.create(
        creation_model=model, sha256=hashlib.sha256("".join(work.blob_id for work in works).encode()).hexdigest()
    )
    DatasetWork.objects.bulk_create(
        DatasetWork(dataset=dataset, work=work, position=place, sha256=work.blob_id, title=work.title)
        for place, work in enumerate(works)
    )
    run = TrainingRun.objects.create(
        creation_model=model, dataset=dataset, state=TrainingRun.State.SUCCEEDED, ended_at=timezone.now()
    )
    with tempfile.TemporaryDirectory() as folder:
        result = _train(model.engine, dataset, works, Path(folder))
        for file in result.adapter_files:
            blobs.keep_file(Path(folder) / file.path, file.media_type)
        shown = showing.stored(result, Path(folder))
    files = [
        {**file.model_dump(mode="json"), "path": str(Path(file.path).relative_to(result.adapter_dir))}
        for file in result.adapter_files
    ]
    version = Version.objects.create(
        creation_model=model,
        run=run,
        number=1,
        adapter_sha256=result.adapter_sha256,
        files=files,
        evaluation=json.loads(result.evaluation.model_dump_json()),
        card=result.card,
        publishable=True,
    )
    showing.keep(version, shown)
    return version


def _train(name: str, dataset: Dataset, works: Sequence[Work], folder: Path) -> TrainResult:
    files = tuple(
        WorkFile(
            id=str(work.pk),
            path=str(blobs.copy_to(work.blob, folder / "works" / f"{work.pk}.txt")),
            sha256=work.blob_id,
            title=work.title,
        )
        for work in works
    )
    return engine(name).train(TrainSpec(works=files, dataset_sha256=dataset.sha256), folder, lambda _progress: None)
