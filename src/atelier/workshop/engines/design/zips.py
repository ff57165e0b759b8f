"""One file with all that a piece is delivered as: of an icon set each icon by itself, of others the usual formats."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

from .drawing import encoded, raster
from .outline import Box
from .scene import Group
from .writing import svg_of

ICON = re.compile(r"Icon \d+")
ICON_SIDE = 512
"""Pixels along a side of an icon's picture."""
_DAY = (1980, 1, 1, 0, 0, 0)
"""The first that the format knows: the same piece gives the same bytes on any day."""


def icons_of(scene: Group) -> list[tuple[str, Group, Box]]:
    """The icons of a set by their layers, each with the square that it stands in; all squares are equally large."""
    layers = [item for item in scene.items if isinstance(item, Group) and ICON.fullmatch(item.name)]
    side = 1.04 * max((max(layer.box.width, layer.box.height) for layer in layers), default=0.0)
    found = []
    for layer in layers:
        x, y = layer.box.middle
        square = Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        found.append((layer.name.lower().replace(" ", "-"), layer, square))
    return found


def icon_files(scene: Group) -> dict[str, bytes]:
    """Each icon of a set as SVG and PNG, by their names; nothing where the piece is no set of icons."""
    files: dict[str, bytes] = {}
    for name, layer, square in icons_of(scene):
        files[f"svg/{name}.svg"] = svg_of(layer, square, title=layer.name, lettering="outlines")
        files[f"png/{name}.png"] = encoded(raster(layer, square, ICON_SIDE, ICON_SIDE), "PNG")
    return files


def packed(files: Mapping[str, bytes]) -> bytes:
    """The files in a ZIP, in the order given."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name, _DAY), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
