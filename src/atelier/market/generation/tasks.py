"""The job that writes samples, and the sweep that finds generations whose job was lost."""

from __future__ import annotations

import logging
import tempfile
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from atelier.market.core.errors import MarketError
from atelier.market.provenance.actions import mark_key_of
from atelier.market.studio.actions import keep_taste
from atelier.market.studio.adapters import adapter_folder, erased
from atelier.market.studio.models import CreationModel
from atelier.workshop import contract
from atelier.workshop.contract import Busy, Cancelled, GenerateSpec, Guardrails, WorkshopError
from atelier.workshop.runtime import runtime

from . import drafts, kinds, queries, work
from .engines import capabilities_of
from .lineage import ancestor_of
from .models import Generation, Pick
from .news import News

log = logging.getLogger(__name__)

NO_ROOM_FOR = timedelta(minutes=10)


class Interrupted(Exception):
    """The engine stopped although nobody asked it to: this worker is shutting down."""


RETRY = RetryStrategy(wait=1, retry_exceptions=[Busy, Interrupted, OperationalError, InterfaceError])


@app.task(queue="generate", retry=RETRY)
def generate(*, generation_id: str) -> None:
    """Write the samples of a generation, streaming. May run twice or be taken up after a kill: nothing doubles."""
    generation = work.claim(uuid.UUID(generation_id))
    if generation is None:
        return
    news = News(generation)
    try:
        _write(generation, news)
    except Cancelled:
        _stopped(generation, news)
    except Busy as error:
        if generation.started_at is None or timezone.now() - generation.started_at < NO_ROOM_FOR:
            work.give_up_the_place(generation, ahead=error.ahead)
            raise
        _no_room(generation, error)
    except (WorkshopError, MarketError) as error:
        _failed(generation, error)
    except (OperationalError, InterfaceError):
        # The database went away: nothing can be written now, and the job is taken up again.
        raise
    except Exception:
        log.exception("generation %s failed", generation.pk)
        work.end_unfinished(
            generation,
            to=Generation.State.FAILED,
            code="crashed",
            error=_("The engine failed on this brief."),
            remedy=_("Ask again; if it fails again, write to the operator."),
        )


def _write(generation: Generation, news: News) -> None:
    model, version = generation.creation_model, generation.version
    with tempfile.TemporaryDirectory(prefix="atelier-generate-") as folder:
        made = runtime().generate(model.engine, adapter_folder(version), _spec(generation), Path(folder), news)
        news.flush()
        work.finish(generation, made, Path(folder))


def _spec(generation: Generation) -> GenerateSpec:
    model = generation.creation_model
    return GenerateSpec(
        request_id=str(generation.pk),
        adapter_sha256=generation.version.adapter_sha256,
        brief=generation.brief,
        seeds=tuple(generation.seeds),
        reveal=generation.reveal,
        guardrails=Guardrails(subjects_refused=tuple(model.subjects_refused), words_never=tuple(model.words_never)),
        mark_key=mark_key_of(model.creator),
        viewer=_opaque(generation.viewer_id),
        vetoed=tuple(generation.vetoed),
        tags={name: tuple(tags) for name, tags in generation.tags.items()},
        taste=generation.taste,
        vary=ancestor_of(generation),
    )


def _opaque(viewer_id: int) -> str:
    """The same word for whatever one person asks for; who it is can be told by nobody without the site's secret."""
    return salted_hmac("atelier.generation.viewer", str(viewer_id), algorithm="sha256").hexdigest()


def _stopped(generation: Generation, news: News) -> None:
    if news.stopping == "taken":
        return
    if not news.stopping:
        raise Interrupted
    if news.stopping == "erased":
        _failed(generation, erased())
        return
    left = news.stopping == "left"
    work.end_unfinished(
        generation,
        to=Generation.State.CANCELLED,
        code=news.stopping,
        error=_("It stopped because the page was left.") if left else "",
        remedy=_("Repeat it and stay on the page.") if left else "",
    )


def _no_room(generation: Generation, error: Busy) -> None:
    minutes = NO_ROOM_FOR // timedelta(minutes=1)
    words = ngettext(
        "For %(minutes)d minutes there was no room to write this; %(ahead)d request is before yours.",
        "For %(minutes)d minutes there was no room to write this; %(ahead)d requests are before yours.",
        error.ahead,
    )
    work.end_unfinished(
        generation,
        to=Generation.State.FAILED,
        code=error.code,
        error=words % {"minutes": minutes, "ahead": error.ahead},
        remedy=_("Try again, now or later: your brief is kept."),
    )


def _failed(generation: Generation, error: WorkshopError | MarketError) -> None:
    work.end_unfinished(
        generation,
        to=Generation.State.FAILED,
        code=error.code,
        error=error.message,
        remedy=error.remedy,
        where=getattr(error, "where", ""),
    )


@app.task(queue="generate", retry=RETRY)
def draw(*, draft_id: str) -> None:
    """Draw a draft until its words, as they stand, are answered. Taken up after a kill, it draws them again."""
    while (draft := drafts.unanswered(uuid.UUID(draft_id))) is not None:
        try:
            drafts.show(draft, _drawn(drafts.drawable(draft)))
        except Cancelled:
            raise Interrupted from None
        except (WorkshopError, MarketError) as error:
            field = getattr(error, "where", "") or getattr(error, "field", "")
            drafts.refuse(draft, f"{error.message} {error.remedy}".strip(), field=field)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("draft %s failed", draft.pk)
            drafts.refuse(draft, _("The engine failed on this brief."))


def _drawn(generation: Generation) -> dict[str, Any]:
    """What may be shown of a sample, as an open page gets it; what it was drawn from is gone with the folder."""
    model = generation.creation_model
    with tempfile.TemporaryDirectory(prefix="atelier-draw-") as folder:
        (made,) = runtime().generate(
            model.engine, adapter_folder(generation.version), _spec(generation), Path(folder), lambda _news: None
        )
    kind = capabilities_of(model).output_kind
    told, _picture = kinds.checked_sample(kind, made.reduced)
    return told | kinds.checked_preview(kind, made.reduced)


@app.periodic(cron="29 * * * *")
@app.task(queue="quick", queueing_lock="forget_drafts")
def forget_drafts(timestamp: int) -> None:
    """Forget the words that were tried and not kept."""
    log.info("forgot %s drafts", drafts.forget())


@app.task(queue="quick", lock="learn_taste", retry=RETRY)
def learn_taste(*, creation_model_id: int) -> None:
    """Have a creation model's engine learn from all that clients picked. Run twice, it learns the same."""
    model = CreationModel.objects.get(pk=creation_model_id)
    rows = Pick.objects.filter(creation_model=model).order_by("pk").values_list("chosen", "others")
    picks = [contract.Pick(chosen=chosen, others=tuple(others)) for chosen, others in rows]
    try:
        taste = runtime().prefer(model.engine, picks)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # What is made goes on as it was: the taste before this pick still holds.
        log.exception("the taste of creation model %s could not be learned", creation_model_id)
        return
    keep_taste(creation_model_id=creation_model_id, taste=taste, picks=len(picks))


@app.periodic(cron="* * * * *")
@app.task(queue="quick", queueing_lock="take_up_lost_generations")
def take_up_lost_generations(timestamp: int) -> None:
    """Queue a job anew for each generation that is under way without one, whatever it was that lost it."""
    for generation_id in queries.without_a_job():
        log.warning("queueing generation %s again: its job was lost", generation_id)
        generate.defer(generation_id=str(generation_id))
