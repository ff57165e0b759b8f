"""Creation models: what they may be trained on, how training went, what was learned, what they cost."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from atelier.market.accounts.models import Creator
from atelier.market.core.models import Blob
from atelier.market.works.models import Work


def _fresh_key() -> str:
    """A key for what is made without a click."""
    return uuid.uuid4().hex


TAG_LENGTH, TAGS_MOST = 60, 20


class Tier(models.TextChoices):
    """The licence tiers that a creation model has a price for."""

    PERSONAL = "personal"
    COMMERCIAL = "commercial"
    EXCLUSIVE = "exclusive"


class CreationModel(models.Model):
    """The product: what the creator sells. Prices are minor units of `currency`; none may lie under the floor."""

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        PAUSED = "paused"
        RETIRED = "retired"

    creator = models.ForeignKey(Creator, on_delete=models.PROTECT, related_name="creation_models")
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80)
    engine = models.CharField(max_length=40)
    category = models.CharField(max_length=40)
    about = models.TextField(max_length=2000, blank=True)
    palette = ArrayField(models.CharField(max_length=7), default=list, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    subjects_refused = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    words_never = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    samples_a_day = models.PositiveIntegerField(default=20, validators=[MaxValueValidator(1000)])
    reveal_percent = models.PositiveIntegerField(default=40, validators=[MinValueValidator(5), MaxValueValidator(90)])
    # What the engine learned from the picks of clients, and from how many.
    taste: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)
    taste_picks = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, default="USD")
    floor_minor = models.PositiveIntegerField(default=500)
    personal_minor = models.PositiveIntegerField(default=900)
    commercial_minor = models.PositiveIntegerField(default=2900)
    exclusive_minor = models.PositiveIntegerField(default=14900)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    version = models.ForeignKey("Version", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    # What the same creator asks twice with one key (a double click) is one creation model.
    idempotency_key = models.CharField(max_length=64, default=_fresh_key)
    created_at = models.DateTimeField(db_default=Now())
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["creator", "slug"], name="one_slug_a_creator"),
            models.UniqueConstraint(fields=["creator", "idempotency_key"], name="one_creation_model_a_key"),
            models.CheckConstraint(
                condition=Q(personal_minor__gte=F("floor_minor"))
                & Q(commercial_minor__gte=F("floor_minor"))
                & Q(exclusive_minor__gte=F("floor_minor")),
                name="no_price_under_the_floor",
            ),
            models.CheckConstraint(condition=Q(floor_minor__gte=50), name="floor_covers_a_card_payment"),
        ]

    def __str__(self) -> str:
        return self.name

    def price_minor(self, tier: str) -> int:
        """The price of a licence tier in minor units."""
        prices: dict[str, int] = {
            Tier.PERSONAL: self.personal_minor,
            Tier.COMMERCIAL: self.commercial_minor,
            Tier.EXCLUSIVE: self.exclusive_minor,
        }
        return prices[tier]


class Dataset(models.Model):
    """Works frozen for training: `sha256` covers the hashes, titles and order of all of them."""

    creation_model = models.ForeignKey(CreationModel, on_delete=models.PROTECT, related_name="datasets")
    sha256 = models.CharField(max_length=64)
    frozen_at = models.DateTimeField(db_default=Now())


class DatasetWork(models.Model):
    """A work as it was when its dataset was frozen."""

    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="items")
    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    description = models.CharField(max_length=1000, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    language = models.CharField(max_length=8, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "work"], name="a_work_once_a_dataset")]
        ordering = ["position"]


class TrainingRun(models.Model):
    """One attempt to learn a dataset. Progress is kept here so that a page that comes back finds it."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    creation_model = models.ForeignKey(CreationModel, on_delete=models.PROTECT, related_name="runs")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    seed = models.PositiveIntegerField(default=0)
    # Counts how often a worker took this run up; what an earlier, lost worker still writes is ignored.
    attempt = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    stage = models.CharField(max_length=60, blank=True)
    note = models.CharField(max_length=300, blank=True)
    done = models.PositiveIntegerField(default=0)
    planned = models.PositiveIntegerField(default=0)
    seconds_left = models.FloatField(null=True, blank=True)
    curve: models.JSONField[list[dict[str, float]], list[dict[str, float]]] = models.JSONField(default=list)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    remedy = models.CharField(max_length=500, blank=True)
    # What the same creator asks twice with one key (a double click) is one run.
    idempotency_key = models.CharField(max_length=64, default=_fresh_key)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["creation_model"], condition=Q(state__in=["queued", "running"]), name="one_run_at_a_time"
            ),
            models.UniqueConstraint(fields=["creation_model", "idempotency_key"], name="one_run_a_key"),
        ]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {self.State.SUCCEEDED, self.State.FAILED, self.State.CANCELLED}

    @property
    def topic(self) -> str:
        """The live topic on which its news appears."""
        return f"run:{self.pk}"


class Version(models.Model):
    """A trained adapter with its proof. `files` lists {path, sha256, bytes, media_type}; bytes are Blobs."""

    class State(models.TextChoices):
        READY = "ready", _("Ready")
        PAUSED = "paused", _("Paused")
        ERASED = "erased", _("Erased")

    creation_model = models.ForeignKey(CreationModel, on_delete=models.PROTECT, related_name="versions")
    run = models.OneToOneField(TrainingRun, on_delete=models.PROTECT, related_name="version")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.READY)
    paused_because = models.CharField(max_length=300, blank=True)
    adapter_sha256 = models.CharField(max_length=64)
    files: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    evaluation: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    card: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    publishable = models.BooleanField()
    # Names of parts that the creator does not want used.
    vetoed = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    # The creator's explicit word to publish although the proof says that it is no better than the base.
    published_anyway_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["creation_model", "number"], name="one_number_a_version")]
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"{self.creation_model} v{self.number}"

    @property
    def copies(self) -> bool:
        """Whether its proof found that it repeats works it learned from: it is never offered, whoever wishes it."""
        return bool(self.evaluation.get("copying", {}).get("verdict") == "poor")


class VersionSheet(models.Model):
    """Pictures side by side, to judge a version by eye. `told` is what is seen; public ones are for buyers too."""

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="sheets")
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    told = models.CharField(max_length=1000)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    public = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "position"], name="one_sheet_a_position")]
        ordering = ["position"]


class VersionPart(models.Model):
    """A part of what a version learned, which its creator may veto by name. Its picture goes with the adapter.

    `tags` are the words it was learned with, null where words do not find it; `own_tags` the creator's own in their
    place, null where there are none. `guessed` tags are those of its whole work.
    """

    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="parts")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    title = models.CharField(max_length=120)
    group = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    work = models.ForeignKey(Work, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    blob = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    tags = ArrayField(models.CharField(max_length=TAG_LENGTH), null=True, blank=True)
    guessed = models.BooleanField(default=False)
    own_tags = ArrayField(models.CharField(max_length=TAG_LENGTH), null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["version", "name"], name="one_part_a_name"),
            models.CheckConstraint(
                condition=Q(own_tags=None) | Q(tags__isnull=False), name="own_tags_only_where_words_find_it"
            ),
        ]
        ordering = ["position"]

    @property
    def called(self) -> list[str]:
        """The words by which it is found."""
        return self.own_tags if self.own_tags is not None else self.tags or []
