"""Reads about creation models, limited to what a person may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext as _

from atelier.market.accounts.models import Creator, User
from atelier.market.accounts.queries import creator_of
from atelier.market.core.errors import Conflict, Missing
from atelier.market.works.models import Consent, Resemblance, Work
from atelier.market.works.queries import in_the_way, works_of
from atelier.workshop.contract import engines

from .models import CreationModel, Dataset, DatasetWork, TrainingRun, Version, VersionPart, VersionSheet

LIVE = (TrainingRun.State.QUEUED, TrainingRun.State.RUNNING)


HEAVY = ("evaluation", "card", "files")
"""What is heavy of a version: its proof with texts and curve, its card, the list of its files."""


def heavy_of(path: str) -> list[str]:
    """The names by which a query that joins versions at `path` leaves out what is heavy, until it is asked for."""
    return [f"{path}__{name}" for name in HEAVY]


def versions_of(model: CreationModel) -> QuerySet[Version]:
    """All versions of a model, newest first, as a list shows them: with the `summary` of the proof, not all of it."""
    summary = KeyTextTransform("summary", "evaluation")
    return model.versions.defer(*HEAVY).annotate(summary=summary).order_by("-number")


def published_models() -> QuerySet[CreationModel]:
    """What buyers may brief now: published, with a version that is ready."""
    return (
        CreationModel.objects.filter(state=CreationModel.State.PUBLISHED, version__state=Version.State.READY)
        .select_related("creator__user", "version")
        .defer(*heavy_of("version"))
    )


def models_of(creator: Creator) -> QuerySet[CreationModel]:
    """A creator's models, newest first, each with `run_pk` and `run_state` of its latest run."""
    latest = TrainingRun.objects.filter(creation_model=OuterRef("pk")).order_by("-pk")
    return (
        CreationModel.objects.filter(creator=creator)
        .select_related("creator__user", "version")
        .defer(*heavy_of("version"))
        .annotate(run_pk=Subquery(latest.values("pk")[:1]), run_state=Subquery(latest.values("state")[:1]))
        .order_by("-pk")
    )


def model_for(person: User, creation_model_id: int) -> CreationModel:
    """A creator's own model. Errors: Denied; Missing when it is not theirs."""
    found = models_of(creator_of(person)).filter(pk=creation_model_id).first()
    if found is None:
        raise Missing(_("There is no such creation model among yours."), remedy=_("Go back to your studio."))
    return found


def run_for(person: User, run_id: int) -> TrainingRun:
    """A creator's own run. Errors: Denied; Missing when it is not theirs."""
    runs = TrainingRun.objects.select_related("creation_model__creator__user", "dataset", "version")
    found = runs.filter(pk=run_id, creation_model__creator=creator_of(person)).first()
    if found is None:
        raise Missing(_("There is no such training among yours."), remedy=_("Go back to your studio."))
    return found


def version_for(person: User, version_id: int) -> Version:
    """A creator's own version. Errors: Denied; Missing when it is not theirs."""
    versions = Version.objects.select_related(
        "creation_model__creator__user", "creation_model__version", "run__dataset"
    ).defer(*heavy_of("creation_model__version"))
    found = versions.filter(pk=version_id, creation_model__creator=creator_of(person)).first()
    if found is None:
        raise Missing(_("There is no such version among yours."), remedy=_("Go back to your studio."))
    return found


def sheet_seen_by(user: Any, sheet_id: int) -> VersionSheet:
    """A sheet of one's own version, or a public one of the version that serves buyers. Errors: Missing."""
    model = "version__creation_model"
    public = Q(public=True, **{f"{model}__state": CreationModel.State.PUBLISHED, f"{model}__version": F("version")})
    own = Q(**{f"{model}__creator__user_id": user.pk}) if user.is_authenticated else Q(pk=None)
    found = VersionSheet.objects.select_related("blob").filter(public | own, pk=sheet_id).first()
    if found is None:
        raise Missing(_("There is no such sheet."))
    return found


def part_of(person: User, part_id: int) -> VersionPart:
    """A part of one's own version. Errors: Missing."""
    mine = VersionPart.objects.filter(version__creation_model__creator__user_id=person.pk)
    found = mine.select_related("blob", "version").filter(pk=part_id).first()
    if found is None:
        raise Missing(_("There is no such part among yours."), remedy=_("Go back to your studio."))
    return found


def public_sheets(model: CreationModel) -> list[VersionSheet]:
    """What a published model's page shows of the version that serves."""
    return list(VersionSheet.objects.filter(version=model.version, public=True)) if model.version else []


def exportable(person: User, version_id: int) -> Version:
    """A creator's own version whose files are still there. Errors: as `version_for`; Conflict when it was erased."""
    found = version_for(person, version_id)
    if found.state == Version.State.ERASED:
        raise Conflict(_("This version was erased; its files are gone."), remedy=_("Choose another version."))
    return found


def ahead_of(run: TrainingRun) -> int:
    """How many trainings come before a queued one, the running one included."""
    if run.state != TrainingRun.State.QUEUED:
        return 0
    return TrainingRun.objects.filter(state__in=LIVE, pk__lt=run.pk).count()


def barred_works(dataset: Dataset) -> list[DatasetWork]:
    """Works of a dataset that may not be trained on now: consent revoked, or refused by an operator."""
    permitted = Exists(Consent.objects.filter(work=OuterRef("work"), revoked_at=None))
    return list(dataset.items.filter(~permitted | Q(work__state=Work.State.REFUSED)))


def revoked_works(version: Version) -> list[DatasetWork]:
    """Works a version was trained on that may no longer be used so."""
    return barred_works(version.run.dataset)


@dataclass(frozen=True)
class Choice:
    """A work as the training page offers it: `why_not` is empty when it can be chosen."""

    work: Work
    why_not: str


def choices_for(model: CreationModel) -> list[Choice]:
    """All works of a model's creator that its engine reads, newest first, with the reason why one is left out."""
    works = works_of(model.creator).filter(engine=model.engine).exclude(state=Work.State.REMOVED)
    nearly = dict(
        in_the_way(Resemblance.objects.filter(work__creator=model.creator, same_creator=True)).values_list(
            "work_id", "other__title"
        )
    )
    return [Choice(work, _why_not(work, nearly)) for work in works]


def _why_not(work: Work, nearly: dict[int, str]) -> str:
    if work.state == Work.State.HELD:
        return _("It resembles another creator’s work; an operator looks at it.")
    if work.state == Work.State.REFUSED:
        return _("An operator found it to be a copy.")
    if not work.permitted:  # type: ignore[attr-defined]
        return _("You have not consented to training on it.")
    if work.pk in nearly:
        return _("It is nearly the same as “%(title)s”.") % {"title": nearly[work.pk]}
    return ""


def proof_works(version: Version) -> dict[str, list[DatasetWork]]:
    """The works of a version as its proof used them: `held_out` and `trained_on`."""
    items = {str(item.work_id): item for item in version.run.dataset.items.select_related("work")}
    return {
        part: [items[work] for work in version.evaluation.get(part, ()) if work in items]
        for part in ("held_out", "trained_on")
    }


def engine_stands(name: str) -> bool:
    """Whether an engine is installed here."""
    return name in engines()
