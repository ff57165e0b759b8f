"""Factories for tests: creation models as they are after a creator trained them with the fake engine."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from atelier.market.accounts.models import Creator
from atelier.market.core.testing import make_creator
from atelier.market.works.models import Work
from atelier.market.works.testing import make_sheets, make_works
from atelier.workshop.contract import Report, TrainResult, TrainSpec, engine
from atelier.workshop.runtime import runtime

from . import actions
from .models import CreationModel, TrainingRun, Version
from .tasks import train_version


def key() -> str:
    """A fresh idempotency key."""
    return uuid.uuid4().hex


def make_model(creator: Creator | None = None, **values: Any) -> CreationModel:
    """A draft for the fake engine."""
    return actions.create_model(
        actor=(creator or make_creator()).user,
        values={"name": "Plain words", "craft": "fake/copywriting", **values},
        idempotency_key=key(),
    )


def make_run(model: CreationModel, works: Sequence[Work] | None = None, **options: Any) -> TrainingRun:
    """A queued run on works made for it, or on those given."""
    made = make_sheets if model.engine == "sketch" else make_works
    chosen = works if works is not None else made(model.creator, 10)
    return actions.start_training(
        actor=model.creator.user,
        creation_model_id=model.pk,
        work_ids=[work.pk for work in chosen],
        idempotency_key=key(),
        **options,
    )


def make_version(model: CreationModel | None = None, works: Sequence[Work] | None = None) -> Version:
    """A version trained by the fake engine; the model's chosen one when it is its first.

    Trained in this process: to start one for each of these versions takes ten times as long as they themselves do.
    """
    run = make_run(model or make_model(), works)
    with mock.patch.object(runtime(), "train", _train_here):
        train_version(run_id=run.pk)
    return Version.objects.select_related("creation_model__creator__user").get(run=run)


def _train_here(name: str, spec: TrainSpec, workspace: Path, report: Report) -> TrainResult:
    return engine(name).train(spec, workspace, report)


def make_published_model(creator: Creator | None = None, **values: Any) -> CreationModel:
    """A model that buyers may brief."""
    version = make_version(make_model(creator, **values))
    return actions.publish_model(
        actor=version.creation_model.creator.user, creation_model_id=version.creation_model_id, anyway=True
    )
