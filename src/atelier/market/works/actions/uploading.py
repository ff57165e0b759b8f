"""Files come in, are kept, and become works once an engine has read them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from atelier.market.accounts.models import Creator, User
from atelier.market.accounts.queries import creator_of
from atelier.market.core import audit, blobs, events, live
from atelier.market.core.errors import Conflict, Invalid, TooMany
from atelier.market.core.models import Blob
from atelier.market.works import duplicates, statements
from atelier.market.works.crafts import capabilities
from atelier.market.works.models import Attestation, Consent, Upload, Work, WorkFingerprint
from atelier.market.works.names import sanitised, suffix_of
from atelier.market.works.receiving import Incoming, Refused, too_large
from atelier.workshop.contract import Capabilities, Inspection, Piece

from .editing import TAGS_MOST, clean_tags
from .locking import locked_creator
from .resemblances import compare


@dataclass(frozen=True)
class Wishes:
    """What a person says of all the files they send together. Title and description serve a single piece only."""

    attested: bool
    consent: bool
    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()


def receive_uploads(
    *,
    actor: User,
    engine: str,
    files: Sequence[Incoming],
    wishes: Wishes,
    batch: uuid.UUID,
    refused: Sequence[Refused] = (),
) -> list[Upload]:
    """Keep files and have them inspected; one that cannot be taken becomes a refused upload that says why.

    The same batch sent twice is kept once. Errors: Invalid when the statement of authorship is missing or nothing
    was sent; Conflict when the batch was sent before with other files; TooMany when the creator's room is used up.
    """
    creator = creator_of(actor)
    offered = capabilities(engine)
    _check_wishes(wishes)
    known = list(Upload.objects.filter(creator=creator, batch=batch).order_by("position"))
    if known:
        _check_same(known, files, refused)
        return known
    if not files and not refused:
        raise Invalid(_("No file was sent."), field="files", remedy=_("Choose files, or paste a text."))
    if len(files) > settings.UPLOAD_FILES_A_REQUEST:
        raise Invalid(
            _("At most %(most)s files are taken at once.") % {"most": settings.UPLOAD_FILES_A_REQUEST},
            field="files",
            remedy=_("Send them in smaller groups."),
        )
    _check_room(creator, sum(file.bytes for file in files))
    taken: list[tuple[str, Blob | None, Refused | None]] = [(each.filename, None, each) for each in refused]
    for file in files:
        name = sanitised(file.filename)
        refusal = _refusal(name, file, offered)
        taken.append((name, None if refusal else blobs.keep(file.stream, _media_type(name, offered)), refusal))
    return _enter(actor, engine, taken, wishes, batch)


def _check_same(known: Sequence[Upload], files: Sequence[Incoming], refused: Sequence[Refused]) -> None:
    """Whoever goes back in the browser and chooses other files sends the old batch: these must not vanish unsaid."""
    names = [each.filename for each in refused] + [sanitised(file.filename) for file in files]
    same = names == [upload.filename for upload in known] and all(
        upload.blob_id in (None, blobs.digest(file.stream)[0])
        for upload, file in zip(known[len(refused) :], files, strict=True)
    )
    if not same:
        raise Conflict(
            _("This was sent before, with other files or another text."),
            field="files",
            remedy=_("Choose the files again and send them once more; a program sends another key."),
        )


@transaction.atomic
def _enter(
    actor: User,
    engine: str,
    taken: Sequence[tuple[str, Blob | None, Refused | None]],
    wishes: Wishes,
    batch: uuid.UUID,
) -> list[Upload]:
    """Write the rows of a batch and queue their inspection, unless another hand sent the same batch meanwhile."""
    from atelier.market.works.tasks import inspect_upload

    creator = locked_creator(actor)
    known = list(Upload.objects.filter(creator=creator, batch=batch).order_by("position"))
    if known:
        return known
    _check_room(creator, sum(blob.bytes for _name, blob, _refusal in taken if blob))
    uploads = []
    said = {**asdict(wishes), "tags": list(wishes.tags), "statement": str(statements.AUTHORSHIP)}
    for position, (name, blob, refusal) in enumerate(taken):
        upload = Upload.objects.create(
            creator=creator, batch=batch, position=position, engine=engine, filename=name, blob=blob, wishes=said
        )
        if refusal is not None:
            refuse_upload(upload_id=upload.pk, code=refusal.code, message=refusal.message, remedy=refusal.remedy)
            upload.refresh_from_db()
        else:
            inspect_upload.defer(upload_id=upload.pk)
        uploads.append(upload)
    audit.record(actor, "works.receive_uploads", creator, batch=str(batch), files=len(uploads), consent=wishes.consent)
    return uploads


@transaction.atomic
def refuse_upload(*, upload_id: int, code: str, message: str, remedy: str) -> None:
    """Note why a whole file was not taken. Does nothing when it was dealt with already."""
    upload = _waiting(upload_id)
    if upload is None:
        return
    refusal = {"where": upload.filename, "code": code, "message": message, "remedy": remedy}
    _close(upload, Upload.State.REFUSED, {"works": [], "refusals": [refusal], "advice": []})


@transaction.atomic
def take_pieces(
    *, upload_id: int, inspection: Inspection, kept: Sequence[Blob], previews: Sequence[Blob | None] = ()
) -> list[Work]:
    """Make works of the pieces an engine found; `kept` are their bytes and `previews` their pictures, in that order.

    All or none, and once however often it is called. A piece that the creator has already is left out with a reason;
    one that resembles another creator's work is held for an operator.
    """
    upload = _waiting(upload_id)
    if upload is None:
        return list(Work.objects.filter(upload_id=upload_id))
    duplicates.one_at_a_time(upload.engine)
    works, refusals = [], [refusal.model_dump() for refusal in inspection.refusals]
    shown = previews or [None] * len(kept)
    for position, (piece, blob, preview) in enumerate(zip(inspection.pieces, kept, shown, strict=True)):
        same = duplicates.same_by_creator(upload.creator_id, upload.engine, blob.pk, piece.fingerprints)
        if same is not None:
            refusals.append(_same_again(piece, same))
            continue
        alone = len(inspection.pieces) == 1
        works.append(_make_work(upload, piece, blob, position, alone=alone, preview=preview))
    report = {"works": [work.pk for work in works], "refusals": refusals, "advice": list(inspection.advice)}
    _close(upload, Upload.State.INSPECTED, report)
    return works


def _make_work(upload: Upload, piece: Piece, blob: Blob, position: int, *, alone: bool, preview: Blob | None) -> Work:
    """One work with its fingerprints, attestation, consent and resemblances."""
    wishes = upload.wishes
    tags = [tag[:60] for tag in (*wishes["tags"], *piece.tags)]
    work = Work.objects.create(
        creator_id=upload.creator_id,
        upload=upload,
        position=position,
        engine=upload.engine,
        title=((wishes["title"] if alone else "") or piece.title or upload.filename)[:200],
        description=((wishes["description"] if alone else "") or piece.description)[:1000],
        tags=list(dict.fromkeys(" ".join(tag.split()) for tag in tags if tag.strip()))[:TAGS_MOST],
        language=piece.language[:8],
        extent=piece.extent,
        excerpt=piece.excerpt[:400],
        advice=[advice[:300] for advice in piece.advice],
        blob=blob,
        preview=preview,
    )
    WorkFingerprint.objects.bulk_create(
        WorkFingerprint(work=work, scheme=f.scheme, value=f.value, bands=list(f.bands)) for f in piece.fingerprints
    )
    person = upload.creator.user
    Attestation.objects.create(work=work, person=person, statement=wishes["statement"])
    if wishes["consent"]:
        Consent.objects.create(work=work, given_by=person)
    state = compare(work)
    if state != Work.State.READY:
        Work.objects.filter(pk=work.pk).update(state=state)
        work.state = state
    else:
        events.emit("works.work_ready", work_id=work.pk)
    return work


def _same_again(piece: Piece, same: Work) -> dict[str, str]:
    if same.state == Work.State.REFUSED:
        message = _("It is the same as “%(title)s”, which an operator found to be a copy of another creator’s work.")
        remedy = _("Upload works you made yourself.")
    else:
        message = _("It is the same as your work “%(title)s”.")
        remedy = _("Nothing to do: the earlier one stays.")
    return {"where": piece.title, "code": "duplicate", "message": message % {"title": same.title}, "remedy": remedy}


def _waiting(upload_id: int) -> Upload | None:
    """The upload, locked, when nobody dealt with it yet."""
    waiting = Upload.objects.select_for_update(of=("self",)).select_related("creator__user", "blob")
    return waiting.filter(pk=upload_id, state=Upload.State.RECEIVED).first()


def _close(upload: Upload, state: str, report: dict[str, Any]) -> None:
    Upload.objects.filter(pk=upload.pk).update(state=state, report=report, inspected_at=Now())
    live.publish(f"uploads:{upload.batch}", "upload", id=upload.pk, state=state, works=len(report["works"]))


def _check_wishes(wishes: Wishes) -> None:
    if not wishes.attested:
        raise Invalid(
            _("Works can be taken only from the person who made them."),
            field="attested",
            remedy=_("Tick the statement if it is true."),
        )
    if len(wishes.title) > 200:
        raise Invalid(_("A title has at most 200 letters."), field="title", remedy=_("Shorten it."))
    if len(wishes.description) > 1000:
        raise Invalid(_("A description has at most 1000 letters."), field="description", remedy=_("Shorten it."))
    clean_tags(wishes.tags)


def _check_room(creator: Creator, more: int) -> None:
    used = Upload.objects.filter(creator=creator).aggregate(used=Sum("blob__bytes"))["used"] or 0
    if used + more > settings.UPLOAD_BYTES_A_CREATOR:
        raise TooMany(
            _("Your room of %(most)s MB is used up: %(used)s MB are taken.")
            % {"most": settings.UPLOAD_BYTES_A_CREATOR // 1_000_000, "used": used // 1_000_000},
            field="files",
            remedy=_("Send fewer or smaller files, or ask the operator for more room."),
        )


def _refusal(name: str, file: Incoming, offered: Capabilities) -> Refused | None:
    """Why a file is not even read, or None."""
    if file.bytes == 0:
        return Refused(name, "empty", _("The file is empty."), _("Check it and send it again."))
    if file.bytes > offered.limits.upload_bytes:
        return too_large(name, offered.limits.upload_bytes)
    suffixes = [kind.suffix for kind in offered.accepts]
    if suffix_of(name) not in suffixes:
        return Refused(
            name,
            "kind",
            _("This kind of file is not taken."),
            _("Save it as one of: %(kinds)s.") % {"kinds": ", ".join(suffixes)},
        )
    return None


def _media_type(name: str, offered: Capabilities) -> str:
    return next(kind.media_type for kind in offered.accepts if kind.suffix == suffix_of(name))
