"""Opens XML of anybody's as a tree: nothing outside the file is fetched, and no small file becomes a large one."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any

from lxml import etree

from atelier.workshop.contract import Unreadable

SVG = "http://www.w3.org/2000/svg"
XLINK = "{http://www.w3.org/1999/xlink}href"
LABEL = "{http://www.inkscape.org/namespaces/inkscape}label"
BYTES = 20_000_000


def tree(data: bytes, where: str) -> Any:
    """The root of an SVG file, packed or not. Errors: Unreadable naming the file."""
    # Entities stay unresolved but in attributes, where libxml2 itself bounds by how much they may grow a file; Adobe
    # Illustrator writes its namespaces as such. https://gitlab.gnome.org/GNOME/libxml2/-/wikis/Security-guide
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(_unpacked(data, where), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise unreadable(f"It is no SVG file that can be read ({str(error)[:120]}).", where) from error
    if root is None or local(root) != "svg":
        raise unreadable("It is XML, but no SVG drawing.", where)
    return root


def _unpacked(data: bytes, where: str) -> bytes:
    if data[:2] == b"\x1f\x8b":  # .svgz
        try:
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise unreadable("The packed SVG file is damaged.", where) from error
    if len(data) > BYTES:
        raise unreadable(f"The drawing is larger than {BYTES // 1_000_000} MB.", where)
    return data


def unreadable(message: str, where: str) -> Unreadable:
    return Unreadable(message, where=where, remedy="Export it again as plain SVG from the program it was drawn with.")


def name_of(element: Any) -> str:
    """The local name of an SVG element; empty for those of other kinds and for entities."""
    if not isinstance(element.tag, str):
        return ""
    space, _, name = element.tag.rpartition("}")
    return name if space in ("", "{" + SVG) else ""


def local(element: Any) -> str:
    """The name of an element of any kind; empty for entities."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def target(element: Any) -> str:
    """The name of what an element refers to within its own file; empty where it refers to anything else."""
    link = (element.get("href") or element.get(XLINK) or "").strip()
    return link[1:] if link.startswith("#") else ""


def label(element: Any) -> str:
    """What its author or the program calls an element."""
    return (element.get(LABEL) or element.get("id") or "")[:80]
