"""Makes the table by which words of many languages are read as English ones, from Unicode's names of pictures.

    .venv/bin/python bin/support/concepts.py [FOLDER]

Unicode CLDR names what each emoji shows, and gives keywords for it, in every language. A word is read as the English
keywords that its emoji have most in common, where rare ones count more than those of everything (animal, face). Needs
npm, for the package named below; the same package gives the same file.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import math
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = "concepts.tsv.xz"
FOLDER = ROOT / "src" / "atelier" / "workshop" / "engines" / "design" / "learning"
PACKAGE, SHA256 = "cldr-annotations-full@48.2.0", "28576e51225deb51e3ddd734b0f824a0079682cb5d8c27faa9f68149317a14d1"
LANGUAGES = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "es", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id", "it",
    "ja", "ko", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sv", "th", "tr", "uk", "vi", "zh", "zh-Hant",
)  # fmt: skip
LONGEST = 24
MOST = 40
"""A word for more things than this says little of any."""
NAME = 3.0
"""How much more a thing's name says than one of its keywords."""
NEARLY = 0.8


def fetched(folder: Path) -> tarfile.TarFile:
    """The package, whose bytes are those known. Errors: SystemExit."""
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (path,) = folder.glob("*.tgz")
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{PACKAGE} is not what it was when this was written.")
    return tarfile.open(path)


def keywords(package: tarfile.TarFile, language: str) -> dict[str, list[str]]:
    """Words of a language by the emoji that they are said of, but for signs, and people in their variants."""
    file = package.extractfile(f"package/annotations/{language}/annotations.json")
    assert file is not None
    told: dict[str, dict[str, Any]] = json.load(file)["annotations"]["annotations"]
    found = {}
    for emoji, words in told.items():
        if "\u200d" not in emoji and "\ufe0f" not in emoji[1:] and _drawn(ord(emoji[0])):
            plain = (word.casefold().strip() for word in (*words.get("tts", ()), *words.get("default", ())))
            found[emoji] = list(dict.fromkeys(word for word in plain if word and len(word) <= LONGEST))
    return found


def _drawn(code: int) -> bool:
    """Whether an emoji shows a thing: no letter, number, arrow, button or clock."""
    return code >= 0x2600 and not 0x1F100 <= code < 0x1F300 and not 0x1F4F2 <= code < 0x1F526 and code < 0x1FB00


def table(package: tarfile.TarFile) -> dict[str, str]:
    """What each word is read as: one or two English keywords, parted by a comma."""
    english = keywords(package, "en")
    common = Counter(word for words in english.values() for word in words)
    shown: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for language in LANGUAGES:
        for emoji, words in keywords(package, language).items():
            for word in words:
                if emoji in english and " " not in word:
                    weight = NAME if word == words[0] else 1.0
                    shown[word][emoji] = max(weight, shown[word].get(emoji, 0.0))
    read = {}
    for word, weights in sorted(shown.items()):
        if len(weights) <= MOST:
            worth: defaultdict[str, float] = defaultdict(float)
            for emoji, weight in sorted(weights.items()):
                for each in english[emoji]:
                    worth[each] += weight * math.log(len(english) / common[each])
            best = sorted(worth, key=lambda each: -worth[each])
            read[word] = ", ".join(each for each in best[:2] if worth[each] >= NEARLY * worth[best[0]])
    return {word: gloss for word, gloss in read.items() if gloss != word}


def main() -> int:
    """Fetch, write, and say how much was written."""
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    with tempfile.TemporaryDirectory() as folder, fetched(Path(folder)) as package:
        found = table(package)
    raw = "\n".join(f"{word}\t{gloss}" for word, gloss in sorted(found.items())).encode()
    (place / FILE).write_bytes(lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME))
    print(f"{len(found)} words of {len(LANGUAGES)} languages, {(place / FILE).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
