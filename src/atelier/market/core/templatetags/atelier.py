"""Template helpers every page may use without loading: money, live tickets, icons, navigation, captured blocks."""

from __future__ import annotations

import math
import re
from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.template.base import NodeList, Parser, Token
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from atelier.market.core import charts, live, money, navigation, notices

register = template.Library()


@register.filter
def minor(amount: int | None, currency: str) -> str:
    """Minor units as money with its currency."""
    return money.show(amount or 0, currency)


@register.simple_tag
def live_url(topic: str) -> str:
    """The address of the live stream of a topic, with the right to watch it. Use only after checking that right."""
    from django.urls import reverse

    return reverse("core:live", args=[live.ticket(topic)])


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, or None."""
    return mapping.get(key) if hasattr(mapping, "get") else None


@register.simple_tag
def icon(name: str) -> SafeString:
    """A mark from icons.svg, for sighted eyes only: the words beside it say the same."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        " icon--seal" if name == "seal" else "",
        static("atelier/icons.svg"),
        name,
    )


@register.filter
def undo_of(message: Any) -> str:
    """Where a message's undo button posts to; empty when it has none."""
    tags = str(message.extra_tags or "")
    return tags.removeprefix(notices.UNDO) if tags.startswith(notices.UNDO) else ""


@register.filter
def fields_with_errors(form: BaseForm) -> list[BoundField]:
    """The visible fields that have something wrong, in the order of the form."""
    return [field for field in form.visible_fields() if field.errors]


@register.filter
def time_left(seconds: float | None) -> str:
    """Seconds as a rough, readable time left; empty when unknown. live.js says the same later."""
    # A template hands over "" for what its context does not hold.
    if not isinstance(seconds, int | float):
        return ""
    if seconds < 50:
        return gettext("about {n} s left").format(n=max(5, math.ceil(seconds / 5) * 5))
    return gettext("about {n} min left").format(n=math.ceil(seconds / 60))


@register.filter
def figure(value: float | None) -> str:
    """A measured number to three significant digits; a dash when there is none."""
    return charts.figure(value) if isinstance(value, int | float) else "–"


@register.filter
def exactly(text: str) -> str:
    """A value for an input's `pattern` that only this very text fits."""
    return re.sub(r"([\\^$.*+?()\[\]{}|/\-])", r"\\\1", text)


@register.simple_tag(takes_context=True)
def site_ways(context: Context) -> dict[str, list[dict[str, Any]]]:
    """The site's navigation for whoever looks: {main, operating} of {label, path, current}."""
    request = context.get("request")
    here = request.path if request else ""
    found = navigation.ways(getattr(request, "user", None))
    return {
        group: [{"label": link.label, "path": link.path, "current": link.leads_to(here)} for link in links]
        for group, links in found.items()
    }


class _Capture(template.Node):
    def __init__(self, nodelist: NodeList, name: str) -> None:
        self.nodelist = nodelist
        self.name = name

    def render(self, context: Context) -> SafeString:
        context[self.name] = SafeString(self.nodelist.render(context).strip())
        return SafeString("")


@register.tag
def capture(parser: Parser, token: Token) -> _Capture:
    """`{% capture as name %}…{% endcapture %}`: render once (a block, say) and use it twice."""
    words = token.split_contents()
    if len(words) != 3 or words[1] != "as":
        raise template.TemplateSyntaxError("Write {% capture as name %}.")
    nodelist = parser.parse(("endcapture",))
    parser.delete_first_token()
    return _Capture(nodelist, words[2])
