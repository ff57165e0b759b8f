"""Words about works, and taking works away and back."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from atelier.market.accounts.models import User
from atelier.market.core import audit, events
from atelier.market.core.errors import Conflict, Invalid
from atelier.market.core.states import move
from atelier.market.works import duplicates
from atelier.market.works.models import Work
from atelier.market.works.states import WORK

from .locking import own_works
from .resemblances import compare

TAGS_MOST = 20


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Tags without blanks and repetitions, in order. Errors: Invalid on the field `tags`."""
    cleaned = [" ".join(tag.split()) for tag in tags]
    kept = list(dict.fromkeys(tag for tag in cleaned if tag))
    long = next((tag for tag in kept if len(tag) > 60), None)
    if long is not None or len(kept) > TAGS_MOST:
        raise Invalid(
            _("At most %(most)s tags of at most 60 letters each can be kept.") % {"most": TAGS_MOST},
            field="tags",
            remedy=_("Shorten “%(tag)s”.") % {"tag": long} if long else _("Remove some tags."),
        )
    return kept


@transaction.atomic
def edit_work(
    *,
    actor: User,
    work_id: int,
    title: str | None = None,
    description: str | None = None,
    tags: Sequence[str] | None = None,
) -> Work:
    """Change what is said about a work; None leaves it. Datasets that are frozen keep what was said then."""
    (work,) = own_works(actor, [work_id])
    changes: dict[str, object] = {}
    if title is not None:
        changes["title"] = " ".join(title.split())
        if not 1 <= len(str(changes["title"])) <= 200:
            raise Invalid(_("A title has 1 to 200 letters."), field="title", remedy=_("Give the work a short title."))
    if description is not None:
        changes["description"] = description.strip()
        if len(description.strip()) > 1000:
            raise Invalid(_("A description has at most 1000 letters."), field="description", remedy=_("Shorten it."))
    if tags is not None:
        changes["tags"] = clean_tags(tags)
    changes = {name: value for name, value in changes.items() if getattr(work, name) != value}
    if changes:
        Work.objects.filter(pk=work.pk).update(**changes)
        audit.record(actor, "works.edit_work", work, changed=sorted(changes))
        work.refresh_from_db()
    return work


@transaction.atomic
def tag_works(*, actor: User, work_ids: Sequence[int], tag: str) -> int:
    """Add a tag to works; returns how many changed."""
    cleaned = clean_tags([tag])
    if not cleaned:
        raise Invalid(_("The tag is empty."), field="tag", remedy=_("Write a tag."))
    changed = 0
    for work in own_works(actor, work_ids):
        tags = clean_tags([*work.tags, *cleaned])
        if tags != work.tags:
            changed += Work.objects.filter(pk=work.pk).update(tags=tags)
            audit.record(actor, "works.edit_work", work, changed=["tags"])
    return changed


@transaction.atomic
def remove_works(*, actor: User, work_ids: Sequence[int]) -> int:
    """Take works out of sight and out of every future dataset; `restore_works` undoes it. Returns how many."""
    works = [work for work in own_works(actor, work_ids) if work.state != Work.State.REMOVED]
    for work in works:
        if work.state == Work.State.REFUSED:
            raise Conflict(
                _("“%(title)s” was refused by an operator and stays on record.") % {"title": work.title},
                field="works",
                remedy=_("Leave it out."),
            )
        move(work, to=Work.State.REMOVED, allowed=WORK)
        audit.record(actor, "works.remove_work", work)
    return len(works)


@transaction.atomic
def restore_works(*, actor: User, work_ids: Sequence[int]) -> int:
    """Bring removed works back, compared anew with what came since. Returns how many."""
    works = [work for work in own_works(actor, work_ids) if work.state == Work.State.REMOVED]
    for name in sorted({work.engine for work in works}):
        duplicates.one_at_a_time(name)
    for work in works:
        prints = [f.as_contract() for f in work.fingerprints.all()]
        same = duplicates.same_by_creator(work.creator_id, work.engine, work.blob_id, prints)
        if same is not None:
            raise Conflict(
                _("“%(title)s” is the same as your work “%(other)s”, which you have now.")
                % {"title": work.title, "other": same.title},
                field="works",
                remedy=_("Remove that one first, or keep it instead."),
            )
        state = compare(work)
        move(work, to=state, allowed=WORK)
        audit.record(actor, "works.restore_work", work)
        if state == Work.State.READY:
            events.emit("works.work_ready", work_id=work.pk)
    return len(works)
