"""What an output card shows to one person: what may be seen, what it costs, what can be done with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from atelier.market.accounts.models import Creator
from atelier.market.core import blobs
from atelier.market.core.errors import Conflict
from atelier.market.studio.models import CreationModel, Tier, Version
from atelier.workshop.contract import Capabilities, Variation

from .brief_form import brief_rows
from .engines import capabilities_of
from .lineage import DEPTH_MOST
from .models import Access, Generation, Output
from .queries import is_on_sale


@dataclass(frozen=True)
class Offer:
    """A licence tier of an output, with its price in minor units and what it permits in one line."""

    tier: str
    name: str
    permits: str
    price_minor: int
    currency: str


@dataclass(frozen=True)
class Card:
    """One sample for one viewer. `output` is None while it is being made; `shown` is None when nothing may be seen.

    `shown` is never more than the viewer may see; `whole` says that it is all there is. Of a picture, `picture_url`
    is where it is sent from to this viewer. The stored master is read only by `master_text`, and only for the holder of
    a licence.
    """

    generation: Generation
    sample: int
    kind: str
    extent_unit: str
    brief: list[tuple[str, str]]
    output: Output | None = None
    shown: dict[str, Any] | None = None
    whole: bool = False
    licensed: bool = False
    own: bool = False
    offers: tuple[Offer, ...] = ()
    picture_url: str = ""
    variations: tuple[Variation, ...] = ()
    # Two presses of one of its buttons ask once.
    vary_key: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def creation_model(self) -> CreationModel:
        """What made it."""
        return self.generation.creation_model

    @property
    def creator(self) -> Creator:
        """Who is behind it."""
        return self.creation_model.creator

    @property
    def number(self) -> int:
        """Which sample it is, counted from one."""
        return self.sample + 1

    @property
    def kind_template(self) -> str:
        """The slot: the template that shows this kind of output."""
        return f"generation/kinds/{self.kind}.html"

    @property
    def rest_template(self) -> str:
        """What is said below the slot of what is not shown."""
        return f"generation/kinds/{self.kind}_rest.html"

    @property
    def told(self) -> str:
        """What is seen in a picture, or asked for it, for those who cannot see it."""
        asked = self.brief[0][1] if self.brief else self.creation_model.name
        return str((self.shown or {}).get("told") or asked)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it left the market for ever."""
        return self.output is not None and self.output.state == Output.State.WITHDRAWN

    @property
    def master_text(self) -> str:
        """The whole of a text, for the holder of a licence; empty for everyone else, and for what is no text."""
        if self.output is None or self.kind != "text" or not self.licensed:
            return ""
        return blobs.read(self.output.blob).decode("utf-8")


def cards(outputs: Iterable[Output], viewer: Any) -> list[Card]:
    """A card for each output, as the viewer may see it. The outputs come from `queries`, with their generations."""
    found = list(outputs)
    licensed: set[Any] = set()
    if viewer.is_authenticated:
        licensed = set(
            Access.objects.filter(holder_id=viewer.pk, output__in=[output.pk for output in found]).values_list(
                "output_id", flat=True
            )
        )
    return [_card(output, viewer, output.pk in licensed) for output in found]


def cards_of(generation: Generation, viewer: Any) -> list[Card]:
    """The cards of a generation in order; empty frames while it is under way."""
    return cards_by_generation([generation], viewer)[generation.pk]


def cards_by_generation(generations: Iterable[Generation], viewer: Any) -> dict[uuid.UUID, list[Card]]:
    """What `cards_of` gives for each, with the viewer's licences looked up at once. Their outputs are prefetched."""
    found: dict[uuid.UUID, list[Card]] = {}
    outputs = []
    for generation in generations:
        found[generation.pk] = [] if generation.is_over else _frames(generation)
        for output in generation.outputs.all() if generation.is_over else ():
            output.generation = generation
            outputs.append(output)
    for card in cards(outputs, viewer):
        found[card.generation.pk].append(card)
    return found


def _frames(generation: Generation) -> list[Card]:
    capabilities = _offered(generation.creation_model)
    if capabilities is None:
        return []
    brief = readable_brief(generation)
    return [
        Card(generation, sample, capabilities.output_kind, capabilities.extent_unit, brief)
        for sample in range(len(generation.seeds))
    ]


def readable_brief(generation: Generation) -> list[tuple[str, str]]:
    """A brief for reading. What was made is still there to be read when its engine is not: by the bare field names."""
    capabilities = _offered(generation.creation_model)
    schema = capabilities.brief_schema if capabilities else {"properties": {name: {} for name in generation.brief_told}}
    return brief_rows(schema, generation.brief_told)


def _offered(creation_model: CreationModel) -> Capabilities | None:
    try:
        return capabilities_of(creation_model)
    except Conflict:
        return None


def _card(output: Output, viewer: Any, licensed: bool) -> Card:
    generation = output.generation
    capabilities = _offered(generation.creation_model)
    own_model = viewer.is_authenticated and generation.creation_model.creator.user_id == viewer.pk
    withdrawn = output.state == Output.State.WITHDRAWN
    hidden = withdrawn and not licensed
    seen = (generation.viewer_id == viewer.pk or output.showcased_at is not None or licensed) and not hidden
    return Card(
        generation=generation,
        sample=output.sample,
        kind=output.kind,
        extent_unit=capabilities.unit_of(output.extent) if capabilities else "",
        brief=readable_brief(generation),
        output=output,
        shown=output.reduced if seen else None,
        variations=_variations(output, viewer, capabilities) if seen else (),
        picture_url=reverse("generation:picture", args=[output.pk]) if seen and output.picture_id else "",
        whole=licensed or (generation.is_playground and not hidden),
        licensed=licensed,
        own=bool(own_model),
        offers=tuple(offers(generation.creation_model)) if is_on_sale(output) and not own_model else (),
    )


def _variations(output: Output, viewer: Any, capabilities: Capabilities | None) -> tuple[Variation, ...]:
    """The ways in which this viewer may have another made from a sample now; `lineage.make_another` decides."""
    generation = output.generation
    offered = generation.is_playground or generation.creation_model.state == CreationModel.State.PUBLISHED
    usable = offered and generation.version.state == Version.State.READY and generation.depth < DEPTH_MOST
    return capabilities.variations if capabilities and usable and generation.viewer_id == viewer.pk else ()


def revealed_template(creation_model: CreationModel) -> str:
    """What is said of how much of its samples is shown before a purchase; takes `share` in per cent."""
    capabilities = _offered(creation_model)
    return f"generation/kinds/{capabilities.output_kind if capabilities else 'text'}_revealed.html"


def offers(creation_model: CreationModel) -> list[Offer]:
    """The licence tiers of a creation model, as they stand today."""
    words = {
        Tier.PERSONAL: (_("Personal"), _("For yourself, not for business.")),
        Tier.COMMERCIAL: (_("Commercial"), _("For your business and your customers’.")),
        Tier.EXCLUSIVE: (_("Exclusive"), _("Yours alone: this piece is never sold again.")),
    }
    return [
        Offer(tier.value, name, permits, creation_model.price_minor(tier), creation_model.currency)
        for tier, (name, permits) in words.items()
    ]
