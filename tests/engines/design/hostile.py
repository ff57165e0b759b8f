"""Files that mean harm, or that were broken on the way: none may hang, grow, fetch, run or break anything."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

NS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
DOT = '<circle cx="50" cy="50" r="40" fill="#c00"/>'
File = tuple[str, bytes]


def svg(inner: str, attributes: str = 'viewBox="0 0 100 100"', before: str = "") -> bytes:
    return f"{before}<svg {NS} {attributes}>{inner}</svg>".encode()


def corpus(host: str = "127.0.0.1:9", file: str = "/etc/passwd") -> Iterator[File]:
    """Name and bytes of each, all different in kind. They try to reach a host and a file."""
    yield from _entities(f"http://{host}", f"file://{file}")
    yield from _broken_xml()
    yield from _growing()
    yield from _endless_numbers()
    yield from _odd_drawings()
    yield from _styles()
    yield from _links(f"http://{host}", f"file://{file}")
    yield from _pictures()
    yield from _documents(f"http://{host}", file)
    yield from _other_kinds()


def _entities(web: str, file: str) -> Iterator[File]:
    laughs = '<!DOCTYPE svg [<!ENTITY a0 "ha">'
    laughs += "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
    yield "laughs.svg", svg("<title>&a9;</title>" + DOT, before=laughs)
    yield "laughs-in-attribute.svg", svg('<path d="&a9;"/>' + DOT, before=laughs)
    blowup = f'<!DOCTYPE svg [<!ENTITY a "{"a" * 50_000}">]>'
    yield "blowup.svg", svg(f"<title>{'&a;' * 5_000}</title>" + DOT, before=blowup)
    for name, address in (("file", file), ("web", web)):
        outside = f'<!DOCTYPE svg [<!ENTITY x SYSTEM "{address}">]>'
        yield f"entity-of-the-{name}.svg", svg("<title>&x;</title><text>&x;</text>" + DOT, before=outside)
        yield f"entity-of-the-{name}-in-a-style.svg", svg("<style>&x;</style>" + DOT, before=outside)
        parameter = f'<!DOCTYPE svg [<!ENTITY % p SYSTEM "{address}"> %p;]>'
        yield f"parameter-entity-of-the-{name}.svg", svg(DOT, before=parameter)
        yield f"dtd-of-the-{name}.svg", svg(DOT, before=f'<!DOCTYPE svg SYSTEM "{address}">')
        include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{address}" parse="text"/>'
        yield f"xinclude-of-the-{name}.svg", svg(f"<title>{include}</title>" + DOT)
    yield "stylesheet-instruction.svg", svg(DOT, before=f'<?xml-stylesheet href="{web}/x.css"?>')


def _broken_xml() -> Iterator[File]:
    yield "cut-off.svg", svg(DOT)[:60]
    yield "null-bytes.svg", svg(DOT).replace(b"circle", b"cir\x00cle")
    yield (
        "not-utf8.svg",
        b'<?xml version="1.0" encoding="utf-8"?>' + svg("<title>%</title>" + DOT).replace(b"%", b"\xff"),
    )
    yield "utf16.svg", ('<?xml version="1.0" encoding="utf-16"?>' + svg(DOT).decode()).encode("utf-16")
    yield "unknown-encoding.svg", b'<?xml version="1.0" encoding="klingon"?>' + svg(DOT)
    yield "html.svg", b"<html><body><script>alert(1)</script></body></html>"
    yield "empty.svg", b""
    yield "blanks.svg", b" \n\t\n" * 50


def _growing() -> Iterator[File]:
    yield "deep.svg", svg("<g>" * 20_000 + DOT + "</g>" * 20_000)
    yield "deep-but-not-too-deep.svg", svg('<g opacity="0.99">' * 79 + DOT + "</g>" * 79)
    yield "a-million-parts.svg", svg('<rect width="1" height="1"/>' * 300_000)
    many = "".join(f'<rect x="{n % 200}" y="{n // 200}" width="9" height="9" opacity=".5"/>' for n in range(19_900))
    yield "as-many-parts-as-may-be.svg", svg(many)
    yield "use-of-itself.svg", svg('<g id="a"><use xlink:href="#a"/></g>' + DOT)
    ring = '<g id="a"><use xlink:href="#b"/></g><g id="b"><use xlink:href="#a"/></g>'
    yield "use-in-a-ring.svg", svg(ring + DOT)
    yield "uses-in-a-ring.svg", svg('<use id="a" xlink:href="#b"/><use id="b" xlink:href="#a"/>' + DOT)
    doubled = "".join(f'<g id="g{n}">' + f'<use xlink:href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, 10))
    yield "use-bomb.svg", svg(f'<defs><g id="g0">{DOT}</g>{doubled}</defs><use xlink:href="#g9"/>')
    symbols = "".join(
        f'<symbol id="s{n}" viewBox="0 0 9 9">' + f'<use href="#s{n - 1}"/>' * 20 + "</symbol>" for n in range(1, 9)
    )
    yield "symbol-bomb.svg", svg(f'<symbol id="s0">{DOT}</symbol>{symbols}<use xlink:href="#s8"/>')
    line = f'<path id="p" d="M0 0{"C1 2 3 4 5 6" * 5_000}"/>'
    yield "long-lines-used-often.svg", svg(line + '<use href="#p"/>' * 30_000)
    dots = "".join(f'<circle cx="{n}" cy="{n}" r="9"/>' for n in range(300))
    clip = f'<clipPath id="c">{dots}</clipPath>'
    yield "clips-of-many.svg", svg(clip + f'<g clip-path="url(#c)">{DOT}</g>' * 500)


def _endless_numbers() -> Iterator[File]:
    yield "endless-path.svg", svg(f'<path d="M0 0{"L1 1" * 1_500_000}"/>')
    yield "numbers-without-end.svg", svg('<path d="M1e999 0L-1e999 NaN L0 inf"/>' + DOT)
    yield "huge-numbers.svg", svg('<path d="M0 0L1e300 1e300L-1e300 5Z" fill="red"/>' + DOT)
    yield "view-of-nothing.svg", svg(DOT, 'viewBox="0 0 0 0"')
    yield "view-backwards.svg", svg(DOT, 'viewBox="0 0 -5 -5" width="-3" height="-9"')
    yield "view-without-end.svg", svg(DOT, 'viewBox="0 0 1e30 1e30"')
    yield "view-like-a-hair.svg", svg(DOT, 'viewBox="0 0 1e6 1e-6"')
    yield "far-away.svg", svg('<g transform="translate(1e12 1e12)">' + DOT + "</g>")
    yield "map-without-end.svg", svg('<g transform="matrix(1e308 1e308 1e308 1e308 1e308 1e308)">' + DOT + "</g>" + DOT)
    yield "maps-upon-maps.svg", svg('<g transform="scale(1e9)">' * 70 + DOT + "</g>" * 70 + DOT)
    yield "map-of-nothing.svg", svg('<g transform="matrix(0 0 0 0 0 0)">' + DOT + "</g>" + DOT)
    yield "words-for-maps.svg", svg('<g transform="rotate(a b c) scale() matrix(1)">' + DOT + "</g>")
    yield "dashes.svg", svg(f'<path d="M0 0L99 99" stroke="red" stroke-dasharray="{"0.0001 " * 50_000}"/>')
    yield "fine-dashes.svg", svg('<path d="M0 0L1e6 1e6" stroke="red" stroke-dasharray="1e-5 1e-5"/>' + DOT)
    yield "wide-lines.svg", svg('<path d="M0 0L9 9" stroke="red" stroke-width="1e30"/>')


def _odd_drawings() -> Iterator[File]:
    yield "nothing-drawn.svg", svg("")
    yield "only-definitions.svg", svg(f"<defs>{DOT}</defs>")
    ring = '<linearGradient id="a" xlink:href="#b"/><linearGradient id="b" xlink:href="#a"/>'
    yield "gradients-in-a-ring.svg", svg(ring + '<rect width="9" height="9" fill="url(#a)"/>')
    nothing = '<radialGradient id="a" r="0" gradientTransform="scale(0)"><stop/><stop offset="1"/></radialGradient>'
    yield "gradient-of-nothing.svg", svg(nothing + '<rect width="90" height="90" fill="url(#a)"/>')
    clips = '<clipPath id="a"><use xlink:href="#a"/></clipPath><g clip-path="url(#a)">'
    yield "clips-in-a-ring.svg", svg(clips + DOT + "</g>")
    filters = '<filter id="f"><feTurbulence numOctaves="99999"/><feMorphology radius="9999"/></filter>'
    yield "filters.svg", svg(filters + '<g filter="url(#f)">' + DOT + "</g>")
    yield "names-that-are-none.svg", svg('<g id="&#x202e;&lt;/g&gt;\'&quot; onload=alert(1)">' + DOT + "</g>")


def _styles() -> Iterator[File]:
    yield "rules.svg", svg("<style>" + "circle g > *:not(.a) { fill: red } " * 20_000 + "</style>" + DOT)
    deep = "<g>" * 78 + DOT * 200 + "</g>" * 78
    yield "slow-selector.svg", svg("<style>" + " ".join(["*"] * 300) + " { fill: red }</style>" + deep)
    yield "slow-selectors.svg", svg("<style>" + "a * * * * * * * circle { fill: red }" * 999 + "</style>" + deep)
    yield "slow-beside.svg", svg("<style>a ~ * ~ * ~ circle { fill: red }</style>" + DOT * 3_000)
    yield "brackets.svg", svg("<style>" + "{[(" * 30_000 + "</style>" + DOT)
    yield "not-not-not.svg", svg("<style>" + ":not(" * 900 + "a" + ")" * 900 + "{fill:red}</style>" + DOT)


def _links(web: str, file: str) -> Iterator[File]:
    yield "script.svg", svg('<script>alert(1)</script><circle r="9" onload="alert(1)" onclick="x()"/>')
    yield "script-link.svg", svg('<a xlink:href="javascript:alert(1)">' + DOT + "</a>")
    yield "script-in-a-style.svg", svg('<circle r="40" style="fill:#c00;background:url(javascript:alert(1))"/>')
    frame = f'<iframe xmlns="http://www.w3.org/1999/xhtml" src="{web}/"/>'
    yield "web-page.svg", svg(f'<foreignObject width="9" height="9">{frame}</foreignObject>' + DOT)
    sheet = (
        f'@import url("{web}/x.css"); @font-face {{ font-family: x; src: url({web}/f) }} rect {{ fill: url({web}/y) }}'
    )
    yield "import.svg", svg(f'<style>{sheet}</style><rect width="9" height="9"/><text>words</text>' + DOT)
    for name, address in (("web", web), ("file", file)):
        yield f"picture-of-the-{name}.svg", svg(f'<image xlink:href="{address}/x.png" width="9" height="9"/>' + DOT)
        yield f"use-of-the-{name}.svg", svg(f'<use xlink:href="{address}/x.svg#a"/>' + DOT)
    page = base64.b64encode(b"<script>alert(1)</script>").decode()
    yield "page-as-picture.svg", svg(f'<image href="data:text/html;base64,{page}" width="9" height="9"/>' + DOT)
    inner = base64.b64encode(svg("<script>alert(1)</script>")).decode()
    yield "svg-as-picture.svg", svg(f'<image href="data:image/svg+xml;base64,{inner}" width="9" height="9"/>' + DOT)
    bomb = base64.b64encode(png(60_000, 60_000)).decode()
    yield "picture-bomb-inside.svg", svg(f'<image href="data:image/png;base64,{bomb}" width="9" height="9"/>' + DOT)
    yield "animated-link.svg", svg(f'<a><set attributeName="href" to="{web}"/>{DOT}</a>')


def png(wide: int, high: int, body: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG file that says it is so large, whatever is in it."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))
    packed = _chunk(b"IDAT", body or zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + head + extra + packed + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _saved(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def _pictures() -> Iterator[File]:
    jpeg = _saved(Image.new("RGB", (64, 64), "#c00"), "JPEG")
    yield "cut-off.jpg", jpeg[:200]
    start = jpeg.index(b"\xff\xc0")
    yield "bomb.jpg", jpeg[: start + 5] + struct.pack(">HH", 65_500, 65_500) + jpeg[start + 9 :]
    yield "bomb.png", png(60_000, 60_000)
    yield "largest-that-is-taken.png", _saved(Image.new("P", (6_300, 6_300)), "PNG")
    yield "cut-off.png", png(100, 100)[:60]
    text = b"Comment\x00\x00" + zlib.compress(b"a" * 80_000_000, 1)
    yield "words-bomb.png", png(8, 8, zlib.compress(bytes(200)), _chunk(b"zTXt", text))
    yield "profile-bomb.png", png(8, 8, zlib.compress(bytes(200)), _chunk(b"iCCP", b"x\x00\x00" + text[9:]))
    yield "wrong-sum.png", png(8, 8)[:-3] + b"abc"
    yield "loop.tiff", b"II*\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"
    yield "rubbish.webp", b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(64)
    yield "rubbish.gif", b"GIF89a" + bytes(range(200))
    yield "invisible.png", _saved(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG")
    yield "one-point.png", _saved(Image.new("RGB", (1, 1), "#c00"), "PNG")
    yield "hair.png", _saved(Image.new("RGB", (20_000, 1), "#c00"), "PNG")


def _documents(web: str, file: str) -> Iterator[File]:
    yield "cut-off.pdf", b"%PDF-1.7\n1 0 obj\n<<"
    yield "no-pages.pdf", pdf("")
    ring = b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 9>>endobj\n"
    yield "pages-in-a-ring.pdf", b"%PDF-1.4\n" + ring + b"trailer<</Root 1 0 R>>"
    form = b"5 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>/Length 5>>stream\n"
    yield "form-of-itself.pdf", pdf("/X Do", "/XObject<</X 5 0 R>>", form + b"/X Do\nendstream endobj\n")
    script = b"5 0 obj<</S/JavaScript/JS(app.alert\\(1\\))>>endobj\n"
    yield "script.pdf", pdf("0 0 50 50 re f", more=script, catalogue="/OpenAction 5 0 R")
    launch = f"5 0 obj<</S/Launch/F({file})/URI({web})>>endobj\n".encode()
    yield "launch.pdf", pdf("0 0 50 50 re f", more=launch, catalogue="/OpenAction 5 0 R")
    outside = f"5 0 obj<</Type/XObject/Subtype/Image/Width 9/Height 9/F({file})/Length 0>>stream\n\nendstream endobj\n"
    yield "picture-of-a-file.pdf", pdf("90 0 0 90 0 0 cm /X Do", "/XObject<</X 5 0 R>>", outside.encode())
    yield "endless.pdf", pdf("q " * 200_000 + "0 0 9 9 re f")
    yield "a-million-parts.pdf", pdf("0 0 9 9 re f " * 300_000)
    yield "packed-bomb.pdf", pdf(zlib.compress(b"q " * 90_000_000, 1), filters="/FlateDecode")
    twice = zlib.compress(zlib.compress(b"q " * 90_000_000, 1), 1)
    yield "packed-twice.pdf", pdf(twice, filters="[/FlateDecode/FlateDecode]")
    yield "picture-bomb.pdf", pdf("90 0 0 90 0 0 cm /X Do", "/XObject<</X 5 0 R>>", _image(60_000, 60_000))
    yield "sheet-without-end.pdf", pdf("0 0 50 50 re f", sheet="-1e30 0 1e30 1e30")
    yield "sheet-of-nothing.pdf", pdf("0 0 50 50 re f", sheet="5 5 5 5")


def _image(wide: int, high: int) -> bytes:
    body = zlib.compress(bytes(1000))
    head = f"<</Type/XObject/Subtype/Image/Width {wide}/Height {high}/BitsPerComponent 8/ColorSpace/DeviceRGB"
    return f"5 0 obj{head}/Filter/FlateDecode/Length {len(body)}>>stream\n".encode() + body + b"\nendstream endobj\n"


def pdf(
    content: str | bytes, resources: str = "", more: bytes = b"", catalogue: str = "", filters: str = "",
    sheet: str = "0 0 100 100",
) -> bytes:  # fmt: skip
    """A PDF of one page."""
    stream = content.encode() if isinstance(content, str) else content
    packed = f"/Filter{filters}" if filters else ""
    return (
        f"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R{catalogue}>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[{sheet}]/Contents 4 0 R/Resources<<{resources}>>>>endobj\n"
        f"4 0 obj<</Length {len(stream)}{packed}>>stream\n"
    ).encode() + stream + b"\nendstream endobj\n" + more + b"trailer<</Root 1 0 R>>"  # fmt: skip


def _other_kinds() -> Iterator[File]:
    yield "packed-bomb.svgz", gzip.compress(b"<svg " + NS.encode() + b">" + b" " * 100_000_000 + b"</svg>", 1)
    yield "packed-rubbish.svgz", b"\x1f\x8b" + bytes(range(256))
    yield "packed-cut-off.svgz", gzip.compress(svg(DOT))[:40]
    yield "program.svg", b"\x7fELF" + bytes(2000)
    yield "archive.svg", b"PK\x03\x04" + bytes(2000)
    yield "drawing.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n"
