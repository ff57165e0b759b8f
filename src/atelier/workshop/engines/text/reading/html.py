"""HTML pages: what a visitor would read, without scripts, menus and hidden parts."""

from __future__ import annotations

from typing import Any

from atelier.workshop.contract import Unreadable

from .pieces import RawPiece
from .plain import read_plain


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_DROPPED = _names(
    "script style nav footer aside form noscript template svg math iframe object embed button select textarea head "
    "video audio canvas map dialog"
)
_BLOCKS = _names(
    "p div li ul ol dl dt dd tr table section article main header blockquote pre figure figcaption address h1 h2 h3 h4 "
    "h5 h6 hr body"
)


def read_html(text: str, filename: str) -> list[RawPiece]:
    """One piece for each of several <article>s or <h1>s, else one for the page. Errors: Unreadable."""
    from lxml import etree

    # Entities are never resolved and nothing is fetched; without huge_tree libxml2 bounds depth and size itself.
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable("The page cannot be read as HTML.", remedy="Save it as .txt.", where=filename) from error
    if root is None:
        raise Unreadable("The page holds no text.", remedy="Upload the text itself.", where=filename)
    page_title = " ".join((root.findtext(".//title") or "").split())
    articles = [node for node in root.iter("article") if next(node.iterancestors("article"), None) is None]
    if len(articles) > 1:
        pieces = []
        for number, node in enumerate(articles, 1):
            found = read_plain(_text_of(node))[0]
            pieces.append(RawPiece(found.text, found.title, where=f"article {number}"))
        return pieces
    pieces = read_plain(_text_of(articles[0] if articles else root))
    if len(pieces) == 1 and not pieces[0].title:
        return [RawPiece(pieces[0].text, page_title)]
    return pieces


def _text_of(root: Any) -> str:
    """Visible text with a blank line between blocks; <h1> and <h2> become `# ` and `## ` lines, <hr> a ruler."""
    from lxml import etree

    out: list[str] = []
    skipping: Any = None
    for event, node in etree.iterwalk(root, events=("start", "end")):
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            if skipping is None and (tag in _DROPPED or _hidden(node)):
                skipping = node
            if skipping is None:
                out.append(_opening(tag))
                out.append(_collapsed(node.text, tag))
        else:
            if skipping is None and tag in _BLOCKS:
                out.append("\n" if tag in ("li", "tr", "dt", "dd") else "\n\n")
            if skipping is node:
                skipping = None
            if skipping is None and node is not root:
                out.append(_collapsed(node.tail, ""))
    return "".join(out)


def _opening(tag: str) -> str:
    if tag in ("h1", "h2"):
        return "\n\n" + "#" * int(tag[1]) + " "
    if tag == "hr":
        return "\n\n---\n\n"
    if tag in ("br", "li", "tr"):
        return "\n"
    return "\n\n" if tag in _BLOCKS else ""


def _collapsed(text: str | None, tag: str) -> str:
    if not text or tag == "pre":
        return text or ""
    lead = " " if text[0].isspace() else ""
    trail = " " if text[-1].isspace() else ""
    return f"{lead}{' '.join(text.split())}{trail}" if text.strip() else " "


def _hidden(node: Any) -> bool:
    style = (node.get("style") or "").replace(" ", "").lower()
    return node.get("hidden") is not None or node.get("aria-hidden") == "true" or "display:none" in style
