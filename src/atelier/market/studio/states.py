"""Which state of a creation model, a run and a version may follow which."""

from __future__ import annotations

from atelier.market.core.states import Transitions

from .models import CreationModel, TrainingRun, Version

MODEL: Transitions = {
    CreationModel.State.DRAFT: frozenset({CreationModel.State.PUBLISHED, CreationModel.State.RETIRED}),
    CreationModel.State.PUBLISHED: frozenset({CreationModel.State.PAUSED, CreationModel.State.RETIRED}),
    CreationModel.State.PAUSED: frozenset({CreationModel.State.PUBLISHED, CreationModel.State.RETIRED}),
    CreationModel.State.RETIRED: frozenset({CreationModel.State.DRAFT}),
}

# A run that was taken up again after its worker was lost stays `running`, under a new attempt.
RUN: Transitions = {
    TrainingRun.State.QUEUED: frozenset({TrainingRun.State.RUNNING, TrainingRun.State.CANCELLED}),
    TrainingRun.State.RUNNING: frozenset(
        {
            TrainingRun.State.RUNNING,
            TrainingRun.State.SUCCEEDED,
            TrainingRun.State.FAILED,
            TrainingRun.State.CANCELLED,
        }
    ),
    TrainingRun.State.SUCCEEDED: frozenset(),
    TrainingRun.State.FAILED: frozenset(),
    TrainingRun.State.CANCELLED: frozenset(),
}

VERSION: Transitions = {
    Version.State.READY: frozenset({Version.State.PAUSED, Version.State.ERASED}),
    Version.State.PAUSED: frozenset({Version.State.READY, Version.State.ERASED}),
    Version.State.ERASED: frozenset(),
}
