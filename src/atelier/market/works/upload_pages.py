"""The pages of adding works: sending files, and watching them being read."""

from __future__ import annotations

import io
import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from atelier.market.accounts.queries import creator_of
from atelier.market.core import live
from atelier.market.core.errors import MarketError
from atelier.market.core.forms import put_error

from . import actions, queries
from .crafts import capabilities, engine_choices
from .forms import UploadForm
from .models import Upload
from .pages import person_of
from .receiving import Incoming, incoming, refused_at_the_door


@login_required
def add(request: HttpRequest) -> HttpResponse:
    """Send works: files, or one pasted."""
    person = person_of(request)
    creator = creator_of(person)
    latest = Upload.objects.filter(creator=creator).order_by("-pk").values_list("engine", flat=True).first()
    known = [name for name, _title in engine_choices()]
    engine = next((name for name in (request.POST.get("engine"), latest) if name in known), known[0] if known else "")
    form = UploadForm(request.POST or None, engine=engine)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        files = incoming(request, "sent")
        if data.get("pasted", "").strip():
            files.append(_pasted(data["engine"], data["pasted"]))
        try:
            uploads = actions.receive_uploads(
                actor=person,
                engine=data["engine"],
                files=files,
                refused=refused_at_the_door(request),
                wishes=actions.Wishes(
                    attested=data["attested"], consent=data["consent"], title=data["title"], tags=tuple(data["tags"])
                ),
                batch=data["batch"],
            )
        except MarketError as error:
            put_error(form, error, files="sent")
            if files and error.field != "files":
                form.add_error("sent", _("Choose the files again: a browser does not keep them."))
        else:
            return redirect("works:batch", batch=uploads[0].batch)
    return render(request, "works/add.html", {"form": form}, status=422 if form.errors else 200)


def _pasted(engine: str, text: str) -> Incoming:
    """A pasted text as the file it would have been."""
    kind = capabilities(engine).accepts_pasted
    content = text.replace("\r\n", "\n").encode()
    name = _("Pasted text")
    return Incoming(f"{name}{kind.suffix if kind else ''}", io.BytesIO(content), len(content))


@login_required
@require_safe
def batch(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    """What became of the files sent together, live."""
    topic = f"uploads:{batch}"
    last = live.latest(topic)
    uploads = queries.batch_for(person_of(request), batch)
    done = sum(upload.state != Upload.State.RECEIVED for upload in uploads)
    context = {
        "uploads": uploads,
        "topic": topic,
        "last_event_id": last,
        "done": done,
        "planned": len(uploads),
        "made": sum(upload.made for upload in uploads),  # type: ignore[attr-defined]
        "refused": sum(len(upload.report.get("refusals", ())) for upload in uploads),
        "consented": uploads[0].wishes.get("consent", False),
    }
    return render(request, "works/batch.html", context)
