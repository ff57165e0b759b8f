"""No file may hang, grow, fetch, read, run or break anything: it is read and written anew, or refused with a remedy."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from atelier.workshop.contract import Unreadable
from atelier.workshop.engines.design.reading.inspection import read
from atelier.workshop.engines.design.writing import svg_of

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
SECRET = "the-words-of-another-file"
SECONDS, MEGABYTES = 10.0, 1024.0


def _module(name: str) -> Any:
    """A file beside this one: the folder of tests is no package."""
    import importlib.util

    spec = importlib.util.spec_from_file_location(f"design_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hostile = _module("hostile")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, Any]], Path, list[Any]]:
    """What came of each file, where its works were written, and who called at the host that files try to reach."""
    folder, workspace = tmp_path_factory.mktemp("files"), tmp_path_factory.mktemp("works")
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    secret.write_text(SECRET)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        for name, data in hostile.corpus(f"127.0.0.1:{server.getsockname()[1]}", str(secret)):
            (folder / name).write_bytes(data)
        done = subprocess.run(
            [sys.executable, HERE / "attacked.py", folder, workspace],
            capture_output=True, text=True, timeout=600, check=False, env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        try:
            callers = [server.accept()[1]]
        except BlockingIOError:
            callers = []
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    begun = lines[-1].get("begun", "") if lines else "nothing"
    assert done.returncode == 0, f"the process ended with {done.returncode} at {begun}: {done.stderr[-2000:]}"
    found = {line["name"]: line | {"number": n} for n, line in enumerate(x for x in lines if "name" in x)}
    return found, workspace, callers


NAMES = sorted(name for name, _ in hostile.corpus())


def test_there_are_many_files_and_each_is_tried(attacked: Any) -> None:
    assert sorted(attacked[0]) == NAMES
    assert len(NAMES) > 80


def test_nobody_is_called(attacked: Any) -> None:
    assert attacked[2] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_written_anew_or_refused(name: str, attacked: Any) -> None:
    found, workspace, _ = attacked
    told = found[name]
    assert "broken" not in told, told["broken"]
    assert told["seconds"] < SECONDS
    assert told["megabytes"] < MEGABYTES
    assert told["reached"] == []
    if "refused" in told:
        where, message, remedy = told["refused"]
        assert where.startswith(name)
        assert message.endswith(".") and remedy.endswith(".")  # noqa: PT018
        return
    assert SECRET not in json.dumps(told)
    for piece in told["inspection"]["pieces"]:
        assert_clean((workspace / str(told["number"]) / piece["file"]).read_bytes())
        assert piece["preview"]["bytes"] < 200_000


TAGS = frozenset(
    ["svg", "g", "path", "image", "text", "title", "defs", "clipPath", "linearGradient", "radialGradient", "stop"]
)


def assert_clean(data: bytes) -> None:
    """An SVG file in which nothing can act, and that refers to nothing but itself."""
    text = data.decode()
    assert SECRET not in text
    assert "<!" not in text
    assert re.findall(r"url\((?!#)", text) == []
    for element in etree.fromstring(data).iter():
        tag = etree.QName(element).localname
        assert tag in TAGS
        for name, value in element.attrib.items():
            local = etree.QName(name).localname
            assert not local.startswith("on")
            assert local != "style"
            if local == "href":
                assert value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))


def _png() -> bytes:
    import io

    from PIL import Image, ImageDraw

    image = Image.new("RGB", (40, 30), "#fff")
    ImageDraw.Draw(image).ellipse((5, 5, 30, 25), fill="#c00")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


WHOLE = (
    hostile.svg(
        '<style>.a{fill:red}</style><defs><linearGradient id="g"><stop/><stop offset="1" stop-color="#0f0"/>'
        '</linearGradient><clipPath id="c"><rect width="50" height="50"/></clipPath></defs><g transform="rotate(9)">'
        '<path class="a" d="M1 2C3 4 5 6 7 8A9 9 0 0 1 30 30z"/><use href="#r"/></g><rect id="r" width="9" height="9" '
        'fill="url(#g)" clip-path="url(#c)" stroke="#000" stroke-dasharray="1 2"/>'
    ),
    _png(),
    hostile.pdf("1 0 0 rg 0 0 50 50 re f q 5 5 20 20 re W n 0 0 m 9 9 l 30 0 50 50 20 9 c S Q"),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    whole=st.sampled_from(WHOLE),
    changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=12),
    kept=st.floats(0.2, 1.0),
)
def test_damage_is_refused_or_read_and_never_raises_anything_else(
    whole: bytes, changes: list[tuple[int, int]], kept: float
) -> None:
    data = bytearray(whole[: max(1, int(len(whole) * kept))])
    for place, value in changes:
        data[place % len(data)] = value
    try:
        found = read(bytes(data), "damaged")
    except Unreadable as error:
        refused = error
    else:
        for each in found:
            assert_clean(svg_of(each.scene.root, each.scene.canvas, title=each.title, texts=each.texts))
        return
    assert refused.where.startswith("damaged")
    assert refused.remedy
