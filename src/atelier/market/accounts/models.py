"""People: users, the creators among them, their vetting, and the tokens their programs use."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _


class PeopleManager(UserManager["User"]):
    """Makes users known by their e-mail address."""

    def _create(self, email: str, password: str | None, **extra: Any) -> User:
        user = self.model(email=self.normalize_email(email), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:  # type: ignore[override]
        return self._create(email, password, **extra)

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:  # type: ignore[override]
        return self._create(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractUser):
    """A person. Every person may buy; a Creator row makes them a creator, `is_staff` an operator."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField("e-mail", unique=True)
    name = models.CharField(max_length=120)
    is_demo = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects: ClassVar[PeopleManager] = PeopleManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="one_user_an_email")]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def is_operator(self) -> bool:
        """Whether this person runs the market."""
        return self.is_staff


handle_validator = RegexValidator(
    r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$",
    _("Use 3 to 40 lower-case letters, digits and hyphens, starting with a letter."),
)


class Creator(models.Model):
    """A person who sells what their creation models make."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="creator")
    handle = models.CharField(max_length=40, unique=True, validators=[handle_validator])
    headline = models.CharField(max_length=140)
    about = models.TextField(max_length=4000, blank=True)
    languages = ArrayField(models.CharField(max_length=8), default=list)
    vetted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.handle

    @property
    def is_vetted(self) -> bool:
        """Whether an operator approved this creator; only then may they publish."""
        return self.vetted_at is not None


class VettingApplication(models.Model):
    """A creator's request to be allowed to publish, and the operator's answer."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        APPROVED = "approved", _("Approved")
        DECLINED = "declined", _("Declined")
        WITHDRAWN = "withdrawn", _("Withdrawn")

    creator = models.ForeignKey(Creator, on_delete=models.PROTECT, related_name="applications")
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    statement = models.TextField(max_length=4000)
    links = ArrayField(models.URLField(max_length=300), default=list, blank=True)
    applied_at = models.DateTimeField(db_default=Now())
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(max_length=2000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["creator"], condition=Q(state="open"), name="one_open_application")
        ]


class ApiToken(models.Model):
    """Lets a program act as its owner. Only the digest is kept; the token itself is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
