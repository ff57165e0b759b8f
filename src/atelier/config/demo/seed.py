"""Fills the demo market: its people and their uploads at once, the rest in the worker (`grow`), step by step."""

from __future__ import annotations

import io
import json
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone
from procrastinate.exceptions import AlreadyEnqueued

from atelier.market.accounts.actions import save_creator
from atelier.market.accounts.models import Creator, User
from atelier.market.core import audit
from atelier.market.core.errors import Conflict
from atelier.market.works.actions import Wishes, receive_uploads
from atelier.market.works.crafts import craft_named
from atelier.market.works.receiving import Incoming

HERE = Path(__file__).resolve().parent
NAMESPACE = uuid.UUID("6a1f3c0e-2f0b-4f6f-9d57-1b4a7a3f0d11")


def portfolio(handle: str) -> dict[str, Any]:
    """What the demo knows of one of its creators."""
    found: dict[str, Any] = json.loads((HERE / "works" / f"{handle}.json").read_text("utf-8"))
    return found


def people() -> list[dict[str, str]]:
    """The people of the demo."""
    found: list[dict[str, str]] = json.loads((HERE / "people.json").read_text("utf-8"))["people"]
    return found


def shown_briefs(craft: str) -> list[dict[str, Any]]:
    """Of the briefs that a demo buyer might write for a craft, those whose pieces a model's page shows."""
    found: list[dict[str, Any]] = json.loads((HERE / "briefs.json").read_text("utf-8"))["briefs"]
    return [each["brief"] for each in found if each["craft"] == craft and each["shown"]]


def seed() -> None:
    """Make the demo's people and uploads where they are missing, and see to it that the rest grows."""
    from atelier.config.tasks import grow

    for person in people():
        user = _person(person)
        if person["role"] == "creator":
            creator = _creator(user, portfolio(person["handle"]))
            _upload(creator, portfolio(creator.handle))
            with suppress(AlreadyEnqueued), transaction.atomic():
                grow.configure(queueing_lock=f"grow:{creator.handle}").defer(handle=creator.handle)


@transaction.atomic
def _person(person: dict[str, str]) -> User:
    """A demo person; nobody knows their password, they are signed in with one click."""
    user, made = User.objects.get_or_create(
        email=person["email"],
        defaults={"name": person["name"], "is_demo": True, "is_staff": person["role"] == "operator"},
    )
    if made:
        user.set_unusable_password()
        user.is_superuser = user.is_staff
        user.save(update_fields=["password", "is_superuser"])
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _creator(user: User, about: dict[str, Any]) -> Creator:
    known = Creator.objects.filter(user=user).first()
    if known is not None:
        return known
    with transaction.atomic():
        creator = save_creator(
            actor=user,
            handle=about["handle"],
            headline=about["headline"],
            about=about["about"],
            languages=about["languages"],
        )
        # In the demo nobody has to wait for an operator; the trail says that the house itself did it.
        Creator.objects.filter(pk=creator.pk).update(vetted_at=timezone.now())
        audit.record(None, "demo.vetted", creator)
    creator.refresh_from_db()
    return creator


def _upload(creator: Creator, about: dict[str, Any]) -> None:
    """All works at once, as a creator would upload them; sent again at every start, they are kept once."""
    # A site that holds the works of an earlier edition goes on with those.
    with suppress(Conflict):
        receive_uploads(
            actor=creator.user,
            engine=craft_named(about["model"]["craft"]).engine,
            files=_drawn(about["files"]) if "files" in about else _written(creator.handle, about["works"]),
            wishes=Wishes(attested=True, consent=True),
            batch=uuid.uuid5(NAMESPACE, creator.handle),
        )


def _written(handle: str, works: list[dict[str, Any]]) -> list[Incoming]:
    """One file with all texts."""
    kept = [{key: work[key] for key in ("title", "tags", "description", "text")} for work in works]
    content = json.dumps({"works": kept}, ensure_ascii=False, indent=1).encode()
    return [Incoming(f"{handle}-demo-works.json", io.BytesIO(content), len(content))]


def _drawn(folder: str) -> list[Incoming]:
    """Every file of a folder, in order of name; titles and tags stand inside them."""
    found = []
    for path in sorted((HERE / "works" / folder).iterdir()):
        content = path.read_bytes()
        found.append(Incoming(path.name, io.BytesIO(content), len(content)))
    return found
