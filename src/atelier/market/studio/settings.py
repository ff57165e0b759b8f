"""What a creator may set on a creation model, checked field by field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings as site
from django.utils.translation import gettext as _

from atelier.market.core import money
from atelier.market.core.errors import Invalid
from atelier.market.works.crafts import craft_named

from .models import CreationModel

PRICES = ("personal_minor", "commercial_minor", "exclusive_minor")
LEAST_FLOOR_MINOR = 50
MOST_MINOR = 100_000_000
_COLOUR = re.compile(r"^#[0-9a-f]{6}$")


def checked(values: Mapping[str, Any], present: CreationModel | None = None) -> dict[str, Any]:
    """Settings cleaned and within bounds, as fields of a CreationModel. `craft` becomes `engine` and `category`.

    Prices are checked together with those that stand already. Errors: Invalid naming the field.
    """
    cleaned: dict[str, Any] = {}
    for name, value in values.items():
        cleaned |= _CHECKS[name](name, value)
    _check_prices(cleaned, present)
    return cleaned


def _name(field: str, value: str) -> dict[str, Any]:
    name = " ".join(value.split())
    if not 2 <= len(name) <= 80:
        raise Invalid(_("A name has 2 to 80 letters."), field=field, remedy=_("Choose a short name buyers remember."))
    return {field: name}


def _craft(field: str, value: str) -> dict[str, Any]:
    craft = craft_named(value)
    return {"engine": craft.engine, "category": craft.category}


def _about(field: str, value: str) -> dict[str, Any]:
    if len(value.strip()) > 2000:
        raise Invalid(_("The description has at most 2000 letters."), field=field, remedy=_("Shorten it."))
    return {field: value.strip()}


def _phrases(most: int, longest: int) -> Callable[[str, Sequence[str]], dict[str, Any]]:
    def check(field: str, value: Sequence[str]) -> dict[str, Any]:
        kept = list(dict.fromkeys(phrase for raw in value if (phrase := " ".join(raw.split()))))
        long = next((phrase for phrase in kept if len(phrase) > longest), None)
        if long is not None or len(kept) > most:
            raise Invalid(
                _("At most %(most)s entries of at most %(longest)s letters each.") % {"most": most, "longest": longest},
                field=field,
                remedy=_("Shorten “%(entry)s…”.") % {"entry": long[:30]} if long else _("Remove some."),
            )
        return {field: kept}

    return check


def _palette(field: str, value: Sequence[str]) -> dict[str, Any]:
    colours = [colour.strip().lower() for colour in value if colour.strip()]
    wrong = next((colour for colour in colours if not _COLOUR.match(colour)), None)
    if wrong is not None or len(colours) > 6:
        raise Invalid(
            _("A palette has at most 6 colours, each like #d9482b."),
            field=field,
            remedy=_("Correct “%(colour)s”.") % {"colour": wrong[:20]} if wrong else _("Remove some colours."),
        )
    return {field: colours}


def _between(least: int, most: int) -> Callable[[str, int], dict[str, Any]]:
    def check(field: str, value: int) -> dict[str, Any]:
        if not least <= value <= most:
            raise Invalid(
                _("It must lie between %(least)s and %(most)s.") % {"least": least, "most": most},
                field=field,
                remedy=_("Choose a number in between."),
            )
        return {field: value}

    return check


def _price(field: str, value: int) -> dict[str, Any]:
    if not LEAST_FLOOR_MINOR <= value <= MOST_MINOR:
        raise Invalid(
            _("A price lies between %(least)s and %(most)s.")
            % {"least": money.show(LEAST_FLOOR_MINOR, site.CURRENCY), "most": money.show(MOST_MINOR, site.CURRENCY)},
            field=field,
            remedy=_("Less than the least does not cover a card payment."),
        )
    return {field: value}


def _check_prices(cleaned: Mapping[str, Any], present: CreationModel | None) -> None:
    """No price lies under the floor, and a wider right never costs less than a narrower one."""
    standing = present or CreationModel(currency=site.CURRENCY)
    prices = {name: cleaned.get(name, getattr(standing, name)) for name in ("floor_minor", *PRICES)}
    if not prices.keys() & cleaned.keys():
        return
    for name in PRICES:
        if prices[name] < prices["floor_minor"]:
            raise Invalid(
                _("This price lies under your floor of %(floor)s.")
                % {"floor": money.show(prices["floor_minor"], standing.currency)},
                field=name,
                remedy=_("Raise the price or lower the floor."),
            )
    for narrow, wide in (("personal_minor", "commercial_minor"), ("commercial_minor", "exclusive_minor")):
        if prices[wide] < prices[narrow]:
            raise Invalid(
                _("A wider licence cannot cost less than a narrower one (%(price)s).")
                % {"price": money.show(prices[narrow], standing.currency)},
                field=wide,
                remedy=_("Raise this price."),
            )


_CHECKS: dict[str, Callable[[str, Any], dict[str, Any]]] = {
    "name": _name,
    "craft": _craft,
    "about": _about,
    "tags": _phrases(12, 40),
    "palette": _palette,
    "subjects_refused": _phrases(40, 80),
    "words_never": _phrases(200, 80),
    "samples_a_day": _between(0, 1000),
    "reveal_percent": _between(5, 90),
    "floor_minor": _price,
    "personal_minor": _price,
    "commercial_minor": _price,
    "exclusive_minor": _price,
}
FIELDS = tuple(_CHECKS)
