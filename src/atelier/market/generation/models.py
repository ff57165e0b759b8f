"""Briefs, the samples made for them, and which works each output is owed to."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from atelier.market.accounts.models import User
from atelier.market.core.models import Blob
from atelier.market.studio.models import CreationModel, Version
from atelier.market.works.models import Work


class Generation(models.Model):
    """One brief and the samples made for it. In the playground the viewer is the creator and sees everything."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    creation_model = models.ForeignKey(CreationModel, on_delete=models.PROTECT, related_name="generations")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="generations")
    viewer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="generations")
    is_playground = models.BooleanField(default=False)
    brief: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    # The same as people read and search it, where pictures are told by their size. Lists do without the brief itself.
    brief_told: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    seeds = ArrayField(models.BigIntegerField())
    # What the version's creator had vetoed when this was asked for.
    vetoed = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    # What the creator called parts of it by then, by their names.
    tags: models.JSONField[dict[str, list[str]], dict[str, list[str]]] = models.JSONField(default=dict)
    # What the engine had learned by then from the picks of clients.
    taste: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)
    # The sample that this makes anew, in which way, and how many samples it comes from, one made from the other.
    parent = models.ForeignKey("Output", null=True, blank=True, on_delete=models.PROTECT, related_name="made_anew")
    vary_way = models.CharField(max_length=40, blank=True)
    depth = models.PositiveSmallIntegerField(default=0)
    reveal = models.FloatField()
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    # Counts how often a worker took this up; what an earlier, lost worker still writes is ignored.
    attempt = models.PositiveIntegerField(default=0)
    # How often a worker was lost while it was at this.
    restarts = models.PositiveIntegerField(default=0)
    # Whether it stops when the page that watched it was left. A program that asked may look in when it likes.
    stop_when_left = models.BooleanField(default=True)
    cancel_requested = models.BooleanField(default=False)
    done = models.PositiveIntegerField(default=0)
    planned = models.PositiveIntegerField(default=0)
    # How many have their turn before this one, as the engine last said; null unless it waits there or had no room.
    ahead = models.PositiveIntegerField(null=True, blank=True)
    # Until its turn comes while it waits, until it is done while it is written; null while unknown.
    seconds_left = models.FloatField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    remedy = models.CharField(max_length=500, blank=True)
    # The field of the brief that an error is about.
    error_where = models.CharField(max_length=120, blank=True)
    # What the same person asks twice with one key (a double click) is one generation.
    idempotency_key = models.CharField(max_length=64)
    varies = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="variations")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    first_preview_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["viewer", "idempotency_key"], name="one_generation_a_key"),
            models.CheckConstraint(
                condition=Q(parent=None, vary_way="", depth=0)
                | (Q(parent__isnull=False, depth__gte=1) & ~Q(vary_way="")),
                name="made_anew_from_a_sample_in_a_way",
            ),
        ]
        indexes = [
            models.Index(fields=["viewer", "-created_at"]),
            models.Index(
                fields=["created_at"], condition=Q(state__in=["queued", "running"]), name="generation_under_way"
            ),
        ]

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {self.State.SUCCEEDED, self.State.FAILED, self.State.CANCELLED}

    @property
    def is_waiting(self) -> bool:
        """Whether its turn has not come: no worker took it up, or the engine writes others first."""
        return self.state == self.State.QUEUED or (self.state == self.State.RUNNING and self.ahead is not None)

    @property
    def may_be_tried_again(self) -> bool:
        """Whether the same brief may do better another time: it came to nothing, and not because of what it asks."""
        return (
            self.state in {self.State.FAILED, self.State.CANCELLED}
            and not self.error_where
            and self.error_code not in {"refused", "not_offered"}
        )

    @property
    def was_turned_away(self) -> bool:
        """Whether the engine had no room at an earlier attempt; every other attempt but the first is a restart."""
        return self.attempt - 1 > self.restarts

    @property
    def topic(self) -> str:
        """The live topic on which its news appears."""
        return f"generation:{self.pk}"


class Output(models.Model):
    """A finished piece. `reduced` and `picture` may be shown to anyone who may see the generation; `blob` only after
    purchase."""

    class State(models.TextChoices):
        OFFERED = "offered"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    generation = models.ForeignKey(Generation, on_delete=models.PROTECT, related_name="outputs")
    sample = models.PositiveIntegerField()
    seed = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    reduced: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    # Of a picture: it, as small as it may be shown. `reduced` then holds its size, and what is seen in words.
    picture = models.ForeignKey(Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    extent = models.PositiveIntegerField()
    finish = models.CharField(max_length=10)
    # Figures by which the engine ranks what it makes.
    features: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State, default=State.OFFERED)
    withdrawn_because = models.CharField(max_length=200, blank=True)
    # Chosen by the creator to be shown whole on the model's page.
    showcased_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "sample"], name="one_output_a_sample")]
        ordering = ["sample"]


class Draft(models.Model):
    """A sample as it looks while somebody types its words: one an open form, replaced by each state of them.

    It is no output: nothing of it is for sale or listed, its picture is news for that form only, and it is forgotten
    when its words are kept, or after a day.
    """

    # The key of the form.
    id = models.UUIDField(primary_key=True, editable=False)
    viewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    parent = models.ForeignKey(Output, on_delete=models.CASCADE, related_name="+")
    way = models.CharField(max_length=40)
    seed = models.BigIntegerField()
    taste: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField(default=dict)
    # The words as they stand, by a name of their own, and whether these were answered.
    brief: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    state = models.UUIDField(null=True)
    answered = models.BooleanField(default=True)
    # How many states there were, and whether any was shown.
    states = models.PositiveIntegerField(default=0)
    shown = models.BooleanField(default=False)
    # The day on which it counts as a sample; null while it does not.
    counted_on = models.DateField(null=True)
    # When a job was last queued to draw it.
    queued_at = models.DateTimeField(db_default=Now())

    @property
    def seeds(self) -> list[int]:
        """What a generation has by the same name."""
        return [self.seed]

    @property
    def version_id(self) -> int:
        """The version that made the sample makes it anew."""
        return self.parent.generation.version_id

    @staticmethod
    def topic_of(viewer_id: int, key: uuid.UUID) -> str:
        """The live topic of a form: its viewer is part of it, so that nobody's key opens another's."""
        return f"draft:{viewer_id}:{key}"

    @property
    def topic(self) -> str:
        """The live topic on which it is shown."""
        return self.topic_of(self.viewer_id, self.pk)


class Access(models.Model):
    """That someone may see and fetch an output whole: the holder of a licence, written when it is issued."""

    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="accesses")
    holder = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["output", "holder"], name="one_access_a_holder")]


class Attribution(models.Model):
    """What part of an output is owed to a work, in parts per million; all parts of an output add up to a million."""

    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="attributions")
    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="+")
    parts = models.PositiveIntegerField()
    method = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["output", "work"], name="one_attribution_a_work"),
            models.CheckConstraint(condition=Q(parts__gte=0, parts__lte=1_000_000), name="attribution_in_bounds"),
        ]


class Pick(models.Model):
    """That a client chose a sample among those of one generation: bought it, or had it made anew. Append-only.

    `chosen` are the features of that sample and `others` those of its siblings, as they were then.
    """

    class Because(models.TextChoices):
        BOUGHT = "bought"
        VARIED = "varied"

    creation_model = models.ForeignKey(CreationModel, on_delete=models.PROTECT, related_name="picks")
    output = models.OneToOneField(Output, on_delete=models.PROTECT, related_name="pick")
    because = models.CharField(max_length=8, choices=Because)
    chosen: models.JSONField[dict[str, float], dict[str, float]] = models.JSONField()
    others: models.JSONField[list[dict[str, float]], list[dict[str, float]]] = models.JSONField()
    at = models.DateTimeField(db_default=Now())


class SampleCount(models.Model):
    """How many free samples a viewer took on a day: of one model, or of all (`creation_model` null)."""

    viewer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    creation_model = models.ForeignKey(CreationModel, null=True, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["viewer", "creation_model", "day"], name="one_count_a_day", nulls_distinct=False
            )
        ]
