"""The pages of adding works: sending files, and watching them being read."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from atelier.market.accounts.queries import creator_of
from atelier.market.accounts.queries import person as person_of
from atelier.market.core import live
from atelier.market.core.errors import Conflict, MarketError
from atelier.market.core.forms import put_error

from . import actions, queries
from .forms import UploadForm
from .models import Upload
from .receiving import incoming, pasted, refused_at_the_door


@login_required
def add(request: HttpRequest) -> HttpResponse:
    """Send works: files, or one pasted."""
    person = person_of(request)
    creator = creator_of(person)
    latest = Upload.objects.filter(creator=creator).order_by("-pk").values_list("engine", flat=True).first()
    form = UploadForm(request.POST if request.method == "POST" else None, engine=latest or "")
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        files = incoming(request, "sent")
        if data.get("pasted", "").strip():
            files.append(pasted(data["engine"], data["pasted"]))
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
            if isinstance(error, Conflict):
                # What is sent next is another batch, and what was typed stays.
                form.data = {**request.POST.dict(), "batch": str(uuid.uuid4())}
        else:
            return redirect("works:batch", batch=uploads[0].batch)
    if request.FILES and not form.has_error("sent"):
        form.add_error("sent", _("Choose the files again: a browser does not keep them."))
    return render(request, "works/add.html", {"form": form}, status=422 if form.errors else 200)


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
