"""What may be uploaded, asked of the engines: crafts, kinds of files, bounds."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from atelier.market.core.errors import Invalid
from atelier.workshop.contract import Capabilities, EngineUnavailable, engine, engines


@dataclass(frozen=True)
class Craft:
    """A category of an engine, under a key that a form can send."""

    engine: str
    category: str
    title: str

    @property
    def key(self) -> str:
        """`engine/category`: two engines may offer a category of the same name."""
        return f"{self.engine}/{self.category}"


def crafts() -> list[Craft]:
    """Every craft of this installation, by title."""
    found = [
        Craft(name, category.slug, category.title)
        for name, known in engines().items()
        for category in known.capabilities().categories
    ]
    return sorted(found, key=lambda craft: (craft.title, craft.engine))


def craft_named(key: str) -> Craft:
    """The craft with that key. Errors: Invalid on the field `craft`."""
    for craft in crafts():
        if craft.key == key:
            return craft
    raise Invalid(
        _("There is no craft “%(key)s” here.") % {"key": key[:80]},
        field="craft",
        remedy=_("Choose one of: %(known)s.") % {"known": ", ".join(craft.key for craft in crafts())},
    )


def capabilities(name: str) -> Capabilities:
    """What an engine offers. Errors: Invalid on the field `engine`, naming those there are."""
    try:
        return engine(name).capabilities()
    except EngineUnavailable as error:
        raise Invalid(error.message, field="engine", remedy=error.remedy) from None


def engine_choices() -> list[tuple[str, str]]:
    """Engines by name, titled by the crafts they serve."""
    return [
        (name, ", ".join(category.title for category in known.capabilities().categories))
        for name, known in engines().items()
    ]


def accept_list(name: str) -> str:
    """Suffixes an engine reads, as the `accept` attribute of a file field."""
    return ",".join(kind.suffix for kind in capabilities(name).accepts)


def extent_unit(name: str, extent: int = 0) -> str:
    """The noun in which an engine measures works, as it stands behind `extent`; empty for one no longer installed."""
    try:
        return engine(name).capabilities().unit_of(extent)
    except EngineUnavailable:
        return ""
