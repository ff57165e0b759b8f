"""What a certificate says: as data frozen with the licence, then as files that name the delivered copies too."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.urls import reverse

from atelier.workshop.contract import EngineUnavailable, engine

from .models import Licence, LicensedFile

FORMAT = "atelier-certificate-1"


def content(licence: Licence) -> dict[str, Any]:
    """The certificate of a licence about to be saved, as JSON; never changed afterwards."""
    output, version = licence.output, licence.version
    model, terms = version.creation_model, licence.terms
    return {
        "format": FORMAT,
        "number": licence.number,
        "tier": licence.tier,
        "issued_at": licence.issued_at.isoformat(timespec="seconds"),
        "terms": {
            "id": terms.pk,
            "title": terms.title,
            "number": terms.number,
            "sha256": terms.sha256,
            "url": settings.SITE_URL + reverse("billing:terms", args=[terms.tier, terms.number]),
        },
        "buyer": {"name": str(licence.buyer)},
        "creator": {"name": str(licence.creator.user), "handle": licence.creator.handle},
        "piece": {
            "sha256": output.blob_id,
            "media_type": output.blob.media_type,
            "extent": output.extent,
            "extent_unit": _unit(model.engine, output.extent),
            "made_at": output.created_at.isoformat(timespec="seconds"),
            "record": settings.SITE_URL + f"/verify/{output.blob_id}/",
        },
        "made_with": {
            "creation_model": model.name,
            "version": version.number,
            "adapter_sha256": version.adapter_sha256,
            "dataset_sha256": version.run.dataset.sha256,
        },
    }


def as_json(licence: Licence, files: Iterable[LicensedFile]) -> bytes:
    """The certificate with the hashes of the delivered copies, as a file; the same bytes for the same licence."""
    delivered = [
        {"format": file.format, "filename": file.filename, "sha256": file.blob_id}
        for file in files
        if file.state == LicensedFile.State.READY and not file.is_certificate
    ]
    told = {**licence.certificate, "files": delivered}
    return (json.dumps(told, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _unit(name: str, extent: int) -> str:
    try:
        return engine(name).capabilities().unit_of(extent)
    except EngineUnavailable:
        return ""
