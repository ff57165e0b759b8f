"""The main job over the API, step by step, each step safe to repeat: what journeys, kills and benchmarks walk."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .person import Person, wait_for
from .site import Site

STATEMENT = "I have written short texts for small makers for nine years, and these are mine."
BRIEF = {"subject": "a hand-made blue coffee mug"}
GOOD_CARD = "4242 4242 4242 4242"


def _key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


@dataclass
class Walk:
    """A creator, a buyer and an operator on one site, and how far they have come."""

    site: Site
    creator: Person
    buyer: Person
    operator: Person
    engine: str = "text"
    brief: dict[str, Any] = field(default_factory=lambda: dict(BRIEF))
    seconds: float = 60

    @classmethod
    def begin(cls, site: Site, **more: Any) -> Walk:
        """Three people with confirmed addresses and tokens; the operator is made as the handbook says."""
        creator = Person(site, "Ada Maker").sign_up().make_token()
        buyer = Person(site, "Bo Buyer").sign_up().make_token()
        operator = Person(site, "Oda Operator").sign_up().make_token()
        site.manage("make_operator", operator.email)
        return cls(site, creator, buyer, operator, **more)

    def become_creator(self) -> None:
        """A profile, an application, an operator's approval."""
        profile = {"handle": f"ada-{uuid.uuid4().hex[:8]}", "headline": "Short texts", "languages": ["en"]}
        self.creator.call("PUT", "/me/creator", json=profile)
        application = self.creator.call("POST", "/me/vetting", json={"statement": STATEMENT})
        self.operator.call("POST", f"/vetting/{application['id']}/decision", json={"approve": True})

    def upload(self, works: Sequence[dict[str, Any]]) -> list[int]:
        """One JSON file with all works, attested and consented to; the ids of what was taken."""
        content = json.dumps(list(works)).encode()
        headers = _key()
        sent = self.creator.patient(
            "POST",
            "/uploads",
            seconds=self.seconds,
            headers=headers,
            data={"engine": self.engine, "attested": "true", "consent": "true"},
            files={"files": ("works.json", content, "application/json")},
        )

        def read() -> Any:
            batch = self.creator.patient("GET", f"/uploads/{sent[0]['batch']}", seconds=self.seconds)
            return batch if all(each["state"] != "received" for each in batch) else None

        batch = wait_for(read, "the upload to be read", self.seconds)
        assert batch[0]["state"] == "inspected", batch
        return list(batch[0]["works"])

    def train(self, *, seconds: float = 600, **settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A creation model and a finished training of all that may be trained on: (model, version)."""
        crafts = self.creator.patient("GET", "/crafts", seconds=self.seconds)
        craft = next(each["key"] for each in crafts if each["engine"] == self.engine)
        model = self.creator.patient(
            "POST",
            "/models",
            seconds=self.seconds,
            headers=_key(),
            json={"name": f"Short texts {uuid.uuid4().hex[:6]}", "craft": craft, **settings},
        )
        run = self.creator.patient("POST", f"/models/{model['id']}/runs", seconds=self.seconds, headers=_key(), json={})

        def over() -> Any:
            now = self.creator.patient("GET", f"/runs/{run['id']}", seconds=self.seconds)
            return now if now["state"] not in {"queued", "running"} else None

        done = wait_for(over, "the training", seconds, every=0.5)
        assert done["state"] == "succeeded", done
        return model, self.creator.patient("GET", f"/versions/{done['version']}", seconds=self.seconds)

    def publish(self, model_id: int) -> None:
        """Offer it, whatever its proof says (the word is recorded)."""
        self.creator.patient("POST", f"/models/{model_id}/publish", seconds=self.seconds, json={"anyway": True})

    def generate(self, model_id: int, *, samples: int = 2, seconds: float = 90, **brief: Any) -> dict[str, Any]:
        """Samples for a brief, waited for."""
        made = self.buyer.patient(
            "POST",
            "/generations",
            seconds=self.seconds,
            headers=_key(),
            json={"creation_model_id": model_id, "brief": {**self.brief, **brief}, "samples": samples},
        )

        def over() -> Any:
            now = self.buyer.patient("GET", f"/generations/{made['id']}", seconds=self.seconds)
            return now if now["state"] not in {"queued", "running"} else None

        done = wait_for(over, "the samples", seconds)
        assert done["state"] == "succeeded", done
        return dict(done)

    def buy(self, output_id: str, tier: str = "personal", *, seconds: float = 60) -> dict[str, Any]:
        """A paid purchase, waited for."""
        wish = {"output_id": output_id, "tier": tier, "card": GOOD_CARD, "idempotency_key": uuid.uuid4().hex}
        bought = self.buyer.patient("POST", "/purchases", seconds=self.seconds, json=wish)

        def settled() -> Any:
            now = self.buyer.patient("GET", f"/purchases/{bought['id']}", seconds=self.seconds)
            return now if now["state"] not in {"open", "charging", "unknown"} else None

        done = wait_for(settled, "the payment", seconds)
        assert done["state"] == "paid", done
        return dict(done)

    def files(self, licence_id: str, *, seconds: float = 60) -> dict[str, bytes]:
        """The delivered files by format, waited for and downloaded."""

        def ready() -> Any:
            now = self.buyer.patient("GET", f"/licences/{licence_id}", seconds=self.seconds)
            return now if all(file["state"] == "ready" for file in now["files"]) else None

        licence = wait_for(ready, "the files", seconds)
        return {
            file["format"]: self.buyer.patient(
                "GET", f"/licences/{licence_id}/files/{file['format']}", seconds=self.seconds
            )
            for file in licence["files"]
        }

    def write_to_creator(self, output_id: str, text: str) -> dict[str, Any]:
        """A message to the person behind a piece, with the piece attached."""
        said = {"output_id": output_id, "body": text}
        begun = self.buyer.patient("POST", "/conversations", seconds=self.seconds, headers=_key(), json=said)
        return dict(begun)
