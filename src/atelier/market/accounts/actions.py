"""What people do with their accounts: become a creator, ask to be vetted, decide on it, make and revoke tokens."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from atelier.market.core import audit, events
from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.states import move

from .auth import digest
from .models import ApiToken, Creator, User, VettingApplication, handle_validator
from .states import VETTING

LANGUAGES = {"en": "English", "fr": "Français", "de": "Deutsch", "es": "Español", "it": "Italiano", "pt": "Português"}
RESERVED_HANDLES = frozenset({"admin", "atelier", "operator", "support", "help", "api", "root", "staff"})
TOKENS_MOST = 20
LINKS_MOST = 5
LINK_LONGEST = 300
# An operator clicks on these: nothing but the web.
_web_address = URLValidator(schemes=["http", "https"])


def _check_profile(handle: str, headline: str, languages: Sequence[str]) -> None:
    try:
        handle_validator(handle)
    except ValidationError as error:
        raise Invalid(error.messages[0], field="handle") from None
    if handle in RESERVED_HANDLES:
        raise Invalid(_("This handle is kept for the market."), field="handle", remedy=_("Choose another one."))
    if not headline.strip():
        raise Invalid(_("Say in one line what you make."), field="headline")
    unknown = [code for code in languages if code not in LANGUAGES]
    if unknown or not languages:
        raise Invalid(_("Choose at least one of the languages offered."), field="languages")


@transaction.atomic
def save_creator(*, actor: User, handle: str, headline: str, about: str, languages: Sequence[str]) -> Creator:
    """Become a creator, or change how one appears. The handle can be changed until something is published."""
    handle = handle.strip().lower()
    _check_profile(handle, headline, languages)
    creator = Creator.objects.select_for_update().filter(user=actor).first()
    values = {
        "handle": handle,
        "headline": headline.strip(),
        "about": about.strip(),
        "languages": list(dict.fromkeys(languages)),
    }
    if creator and creator.handle != handle and creator.is_vetted:
        raise Invalid(
            _("Your handle is part of addresses that others may have kept, so it no longer changes."), field="handle"
        )
    try:
        with transaction.atomic():
            if creator is None:
                creator = Creator.objects.create(user=actor, **values)
                verb = "accounts.become_creator"
            else:
                Creator.objects.filter(pk=creator.pk).update(**values)
                creator.refresh_from_db()
                verb = "accounts.edit_creator"
    except IntegrityError:
        raise Invalid(_("Someone has this handle already."), field="handle", remedy=_("Choose another one.")) from None
    audit.record(actor, verb, creator, handle=handle)
    events.emit("accounts.creator_changed", creator_id=creator.pk)
    return creator


def _check_links(links: Sequence[str]) -> list[str]:
    found = [link.strip() for link in links if link.strip()]
    if len(found) > LINKS_MOST:
        raise Invalid(_("%(most)d addresses are enough.") % {"most": LINKS_MOST}, field="links")
    for link in found:
        try:
            _web_address(link)
        except ValidationError:
            raise Invalid(
                _("“%(link)s” is not a web address.") % {"link": link[:80]},
                field="links",
                remedy=_("Write it in full, beginning with https://."),
            ) from None
        if len(link) > LINK_LONGEST:
            raise Invalid(
                _("An address has %(length)d characters; %(most)d fit.") % {"length": len(link), "most": LINK_LONGEST},
                field="links",
                remedy=_("Give the address of the page above it."),
            )
    return found


@transaction.atomic
def apply_for_vetting(*, actor: User, statement: str, links: Sequence[str] = ()) -> VettingApplication:
    """Ask the operators to let this creator publish. Asking twice while one waits gives the waiting one."""
    creator = Creator.objects.select_for_update().filter(user=actor).first()
    if creator is None:
        raise Denied(_("Only creators can be vetted."), remedy=_("Become a creator first: it takes one form."))
    if creator.is_vetted:
        raise Conflict(_("You are approved already."))
    waiting = creator.applications.filter(state=VettingApplication.State.OPEN).first()
    if waiting is not None:
        return waiting
    if len(statement.strip()) < 40:
        raise Invalid(_("Tell in at least 40 characters what you make and that it is yours."), field="statement")
    application = VettingApplication.objects.create(
        creator=creator, statement=statement.strip(), links=_check_links(links)
    )
    audit.record(actor, "accounts.apply_for_vetting", application)
    return application


@transaction.atomic
def withdraw_application(*, actor: User, application_id: int) -> VettingApplication:
    """Take an application back before it is decided."""
    application = VettingApplication.objects.filter(pk=application_id, creator__user=actor).first()
    if application is None:
        raise Missing(_("There is no such application."))
    move(application, to=VettingApplication.State.WITHDRAWN, allowed=VETTING)
    audit.record(actor, "accounts.withdraw_application", application)
    return application


@transaction.atomic
def decide_vetting(*, actor: User, application_id: int, approve: bool, reason: str = "") -> VettingApplication:
    """An operator approves or declines, the latter with a reason the creator can act on."""
    if not actor.is_operator:
        raise Denied(_("Only operators decide on applications."))
    application = VettingApplication.objects.select_related("creator__user").filter(pk=application_id).first()
    if application is None:
        raise Missing(_("There is no such application."))
    if application.creator.user_id == actor.pk:
        raise Denied(_("Nobody decides on their own application."))
    if not approve and len(reason.strip()) < 10:
        raise Invalid(_("Say why, so that the creator can act on it."), field="reason")
    to = VettingApplication.State.APPROVED if approve else VettingApplication.State.DECLINED
    now = timezone.now()
    move(application, to=to, allowed=VETTING, decided_at=now, decided_by=actor, reason=reason.strip())
    if approve:
        Creator.objects.filter(pk=application.creator_id).update(vetted_at=now)
    audit.record(actor, f"accounts.vetting_{to}", application, reason=reason.strip())
    events.emit("accounts.vetting_decided", application_id=application.pk)
    return application


@transaction.atomic
def make_token(*, actor: User, name: str) -> tuple[ApiToken, str]:
    """A new API token and its text, which is shown this once."""
    if not name.strip():
        raise Invalid(_("Name the program that will use it."), field="name")
    User.objects.select_for_update().get(pk=actor.pk)
    if actor.api_tokens.filter(revoked_at=None).count() >= TOKENS_MOST:
        raise Conflict(_("You have %(most)s tokens.") % {"most": TOKENS_MOST}, remedy=_("Revoke one first."))
    text = "atl_" + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(user=actor, name=name.strip()[:80], prefix=text[:10], digest=digest(text))
    audit.record(actor, "accounts.make_token", token, name=token.name)
    return token, text


@transaction.atomic
def revoke_token(*, actor: User, token_id: int) -> ApiToken:
    """End a token for good; revoking it again changes nothing."""
    token = ApiToken.objects.select_for_update().filter(pk=token_id, user=actor).first()
    if token is None:
        raise Missing(_("There is no such token."))
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        audit.record(actor, "accounts.revoke_token", token, name=token.name)
    return token


@transaction.atomic
def rename(*, actor: User, name: str) -> User:
    """Change the name others see."""
    if not name.strip():
        raise Invalid(_("Tell others what to call you."), field="name")
    User.objects.filter(pk=actor.pk).update(name=name.strip()[:120])
    actor.refresh_from_db()
    audit.record(actor, "accounts.rename", actor)
    if creator := Creator.objects.filter(user=actor).first():
        events.emit("accounts.creator_changed", creator_id=creator.pk)
    return actor
