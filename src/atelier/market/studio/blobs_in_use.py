"""Whether anything still needs the bytes of an adapter's file."""

from __future__ import annotations

from django.apps import apps
from django.db.models import ForeignKey

from atelier.market.core.models import Blob

from .models import Version


def is_needed(blob: Blob) -> bool:
    """Whether a version that is not erased, or any row of any room, refers to these bytes."""
    in_versions = Version.objects.filter(files__contains=[{"sha256": blob.sha256}]).exclude(state=Version.State.ERASED)
    if in_versions.exists():
        return True
    return any(
        model._default_manager.filter(**{field.name: blob.pk}).exists()
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and field.related_model is Blob
    )
