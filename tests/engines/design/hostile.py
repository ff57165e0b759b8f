"""Files that mean harm, or that were broken on the way: none may hang, grow, fetch, run or break anything."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zlib
from collections.abc import Iterator

NS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
DOT = '<circle cx="50" cy="50" r="40" fill="#c00"/>'


def svg(inner: str, attributes: str = 'viewBox="0 0 100 100"', before: str = "") -> bytes:
    return f"{before}<svg {NS} {attributes}>{inner}</svg>".encode()


def corpus() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each, all different in kind."""
    yield from _xml()
    yield from _drawings()
    yield from _styles_and_links()
    yield from _pictures()
    yield from _documents()


def _xml() -> Iterator[tuple[str, bytes]]:
    laughs = '<!DOCTYPE svg [<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    ) + "]>"
    yield "laughs.svg", svg("<title>&a9;</title>" + DOT, before=laughs)
    yield "laughs-in-attribute.svg", svg('<path d="&a9;"/>' + DOT, before=laughs)
    blowup = f'<!DOCTYPE svg [<!ENTITY a "{"a" * 50_000}">]>'
    yield "blowup.svg", svg(f"<title>{'&a;' * 5_000}</title>" + DOT, before=blowup)
    yield "entity-of-a-file.svg", svg("<text>&x;</text>" + DOT, before='<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
    yield "entity-of-the-net.svg", svg("<text>&x;</text>" + DOT, before='<!DOCTYPE svg [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>')
    yield "parameter-entity.svg", svg(DOT, before='<!DOCTYPE svg [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p;]>')
    yield "remote-dtd.svg", svg(DOT, before='<!DOCTYPE svg SYSTEM "http://127.0.0.1:9/svg.dtd">')
    yield "xinclude.svg", svg('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>' + DOT)
    yield "stylesheet-instruction.svg", svg(DOT, before='<?xml-stylesheet href="http://127.0.0.1:9/x.css"?>')
    yield "cut-off.svg", svg(DOT)[:60]
    yield "null-bytes.svg", svg(DOT).replace(b"circle", b"cir\x00cle")
    yield "not-utf8.svg", b'<?xml version="1.0" encoding="utf-8"?>' + svg("<title>\xff\xfe</title>" + DOT).replace("ÿþ".encode(), b"\xff\xfe")
    yield "utf16.svg", ('<?xml version="1.0" encoding="utf-16"?>' + svg(DOT).decode()).encode("utf-16")
    yield "html.svg", b"<html><body><script>alert(1)</script></body></html>"
    yield "empty.svg", b""
    yield "blanks.svg", b" \n\t\n" * 50


def _drawings() -> Iterator[tuple[str, bytes]]:
    yield "nothing-drawn.svg", svg("")
    yield "only-definitions.svg", svg(f"<defs>{DOT}</defs>")
    yield "deep.svg", svg("<g>" * 20_000 + DOT + "</g>" * 20_000)
    yield "a-million-parts.svg", svg('<rect width="1" height="1"/>' * 300_000)
    yield "use-of-itself.svg", svg('<g id="a"><use xlink:href="#a"/></g>' + DOT)
    yield "use-in-a-ring.svg", svg('<g id="a"><use xlink:href="#b"/></g><g id="b"><use xlink:href="#a"/></g>' + DOT)
    doubled = "".join(f'<g id="g{n}">' + f'<use xlink:href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, 10))
    yield "use-bomb.svg", svg(f'<defs><g id="g0">{DOT}</g>{doubled}</defs><use xlink:href="#g9"/>')
    yield "endless-path.svg", svg(f'<path d="M0 0{"L1 1" * 1_500_000}"/>')
    yield "numbers-without-end.svg", svg('<path d="M1e999 0L-1e999 NaN L0 inf"/>' + DOT)
    yield "huge-numbers.svg", svg('<path d="M0 0L1e300 1e300L-1e300 5Z" fill="red"/>' + DOT)
    yield "view-of-nothing.svg", svg(DOT, 'viewBox="0 0 0 0"')
    yield "view-backwards.svg", svg(DOT, 'viewBox="0 0 -5 -5" width="-3" height="-9"')
    yield "view-without-end.svg", svg(DOT, 'viewBox="0 0 1e30 1e30"')
    yield "far-away.svg", svg('<g transform="translate(1e12 1e12)">' + DOT + "</g>")
    yield "map-of-nothing.svg", svg('<g transform="matrix(0 0 0 0 0 0)">' + DOT + "</g>" + DOT)
    yield "words-for-maps.svg", svg('<g transform="rotate(a b c) scale() matrix(1)">' + DOT + "</g>")
    yield "gradients-in-a-ring.svg", svg(
        '<linearGradient id="a" xlink:href="#b"/><linearGradient id="b" xlink:href="#a"/><rect width="9" height="9" fill="url(#a)"/>'
    )
    yield "clips-in-a-ring.svg", svg('<clipPath id="a"><use xlink:href="#a"/></clipPath><g clip-path="url(#a)">' + DOT + "</g>")
    yield "dashes.svg", svg(f'<path d="M0 0L99 99" stroke="red" stroke-dasharray="{"0.0001 " * 50_000}"/>')
    yield "filters.svg", svg('<filter id="f"><feTurbulence numOctaves="99999"/><feMorphology radius="9999"/></filter><g filter="url(#f)">' + DOT + "</g>")
    yield "wide-lines.svg", svg('<path d="M0 0L9 9" stroke="red" stroke-width="1e30"/>')


def _styles_and_links() -> Iterator[tuple[str, bytes]]:
    yield "script.svg", svg('<script>alert(1)</script><circle r="9" onload="alert(1)" onclick="x()"/>')
    yield "script-link.svg", svg('<a xlink:href="javascript:alert(1)">' + DOT + "</a>")
    yield "web-page.svg", svg('<foreignObject width="9" height="9"><iframe xmlns="http://www.w3.org/1999/xhtml" src="http://127.0.0.1:9/"/></foreignObject>' + DOT)
    yield "import.svg", svg('<style>@import url("http://127.0.0.1:9/x.css"); circle { fill: url(http://127.0.0.1:9/y) }</style>' + DOT)
    yield "rules.svg", svg("<style>" + "circle g > *:not(.a) { fill: red } " * 20_000 + "</style>" + DOT)
    yield "slow-selector.svg", svg("<style>" + " ".join(["*"] * 300) + " { fill: red }</style>" + DOT)
    yield "picture-of-the-net.svg", svg('<image xlink:href="http://127.0.0.1:9/x.png" width="9" height="9"/>' + DOT)
    yield "picture-of-a-file.svg", svg('<image xlink:href="file:///etc/passwd" width="9" height="9"/>' + DOT)
    page = base64.b64encode(b"<script>alert(1)</script>").decode()
    yield "page-as-picture.svg", svg(f'<image xlink:href="data:text/html;base64,{page}" width="9" height="9"/>' + DOT)
    bomb = base64.b64encode(png(60_000, 60_000)).decode()
    yield "picture-bomb-inside.svg", svg(f'<image xlink:href="data:image/png;base64,{bomb}" width="9" height="9"/>' + DOT)
    yield "packed-bomb.svgz", gzip.compress(b"<svg " + NS.encode() + b">" + b" " * 200_000_000 + b"</svg>", 9)
    yield "packed-rubbish.svgz", b"\x1f\x8b" + bytes(range(256))


def png(wide: int, high: int, body: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG file that says it is so large, whatever is in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))
    packed = chunk(b"IDAT", body or zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + head + extra + packed + chunk(b"IEND", b"")


def _pictures() -> Iterator[tuple[str, bytes]]:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "#c00").save(buffer, "JPEG")
    yield "cut-off.jpg", buffer.getvalue()[:200]
    yield "bomb.png", png(60_000, 60_000)
    yield "cut-off.png", png(100, 100)[:60]
    yield "words-bomb.png", png(8, 8, zlib.compress(bytes(200)), _words_bomb())
    yield "wrong-sum.png", png(8, 8)[:-3] + b"abc"
    yield "loop.tiff", b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"
    yield "rubbish.webp", b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(64)
    yield "rubbish.gif", b"GIF89a" + bytes(range(200))
    yield "invisible.png", _invisible()


def _words_bomb() -> bytes:
    data = b"Comment\x00\x00" + zlib.compress(b"a" * 80_000_000, 9)
    return struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))


def _invisible() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def _documents() -> Iterator[tuple[str, bytes]]:
    yield "cut-off.pdf", b"%PDF-1.7\n1 0 obj\n<<"
    yield "no-pages.pdf", pdf("")
    yield "pages-in-a-ring.pdf", b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 9>>endobj\ntrailer<</Root 1 0 R>>"
    yield "form-of-itself.pdf", pdf("/X Do", "/XObject<</X 5 0 R>>", b"5 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>/Length 5>>stream\n/X Do\nendstream endobj\n")
    yield "script.pdf", pdf("0 0 50 50 re f", "", b"5 0 obj<</S/JavaScript/JS(app.alert\\(1\\))>>endobj\n")
    yield "endless.pdf", pdf("q " * 200_000 + "0 0 9 9 re f")
    yield "program.svg", b"\x7fELF" + bytes(2000)
    yield "archive.svg", b"PK\x03\x04" + bytes(2000)
    yield "drawing.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n"


def pdf(content: str, resources: str = "", more: bytes = b"") -> bytes:
    stream = content.encode()
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]/Contents 4 0 R/Resources<<" + resources.encode() + b">>>>endobj\n"
        b"4 0 obj<</Length " + str(len(stream)).encode() + b">>stream\n" + stream + b"\nendstream endobj\n" + more
        + b"trailer<</Root 1 0 R>>"
    )
