"""Keeps the index of what can be found in step with what is published."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from atelier.market.core import live
from atelier.market.studio.models import CreationModel
from atelier.market.studio.queries import published_models

from .indexing import parts, weighted_words
from .models import Listing

TOPIC = "discovery"


def index_creator(creator_id: int) -> None:
    """Index anew what a creator offers: their name, handle and headline are searched with each model."""
    for key in published_models().filter(creator_id=creator_id).order_by("pk").values_list("pk", flat=True):
        index_model(key)


@transaction.atomic
def index_model(creation_model_id: int) -> None:
    """Make a model findable when it is published, and not findable otherwise. May be called again at any time."""
    from .tasks import read_listing

    # Two calls for one model take turns, and each looks at the model as it is then.
    CreationModel.objects.select_for_update().filter(pk=creation_model_id).first()
    model = published_models().filter(pk=creation_model_id).first()
    if model is None:
        Listing.objects.filter(creation_model_id=creation_model_id).delete()
        return
    texts = parts(model)
    text = "\n".join(filter(None, texts.values()))
    before = Listing.objects.filter(creation_model=model).first()
    if before is None or before.text != text:
        Listing.objects.update_or_create(creation_model=model, defaults={"text": text, "meaning": None})
    Listing.objects.filter(creation_model=model).update(words=weighted_words(texts), updated_at=Now())
    live.publish(TOPIC, "listed", creation_model_id=model.pk)
    if before is None or before.text != text or before.meaning is None:
        read_listing.defer(creation_model_id=model.pk)
