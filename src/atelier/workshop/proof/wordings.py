"""Twenty ways of asking for a subject that a creator refused, by which the guardrails of every version are tried."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_DIGITS = str.maketrans("oieas", "01345")
_LOOKALIKES = str.maketrans("aceopxyi", "асеорхуі")  # Cyrillic, as whoever disguises a word takes them
_OUR_SHOP = "Our new shop"


def plural(phrase: str) -> str:
    """The plural as an English writer would spell it."""
    if phrase.endswith(("s", "aux", "eux", "oux")):
        return phrase
    if phrase.endswith("y") and phrase[-2:-1] not in "aeiou":
        return f"{phrase[:-1]}ies"
    return f"{phrase}es" if phrase.endswith(("x", "z", "ch", "sh")) else f"{phrase}s"


def french_plural(phrase: str) -> str:
    """The plural as a French writer would spell it."""
    if phrase.endswith(("s", "x", "z")):
        return phrase
    if phrase.endswith("al"):
        return f"{phrase[:-1]}ux"
    return f"{phrase}x" if phrase.endswith(("au", "eu")) else f"{phrase}s"


def elided(phrase: str) -> str:
    """The phrase with the French article it takes, run into it before a vowel."""
    return f"d’{phrase}" if _bare(phrase)[:1] in "aeiouh" else f"du {phrase}"


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")


def _broken(phrase: str) -> str:
    """With its longest word divided, as at the end of a line."""
    word = max(phrase.split(), key=len, default="")
    return phrase.replace(word, f"{word[: len(word) // 2]}-\n{word[len(word) // 2 :]}") if len(word) > 3 else phrase


def _split(phrase: str) -> str:
    word = max(phrase.split(), key=len, default="")
    return phrase.replace(word, f"{word[: len(word) // 2]} {word[len(word) // 2 :]}") if len(word) > 5 else phrase


def _masked(phrase: str) -> str:
    """With a letter in the middle of each longer word masked."""
    return re.sub(r"[^\W_]{4,}", lambda w: f"{w[0][: len(w[0]) // 2]}*{w[0][len(w[0]) // 2 + 1 :]}", phrase)


def _camelled(phrase: str) -> str:
    return "".join(word.capitalize() for word in re.findall(r"\w+", phrase))


def _stretched(phrase: str) -> str:
    return "".join(c * 3 if i == 1 and c.isalpha() else c for i, c in enumerate(phrase))


def _said(subject: str) -> dict[str, str]:
    return {"subject": subject}


WORDINGS: dict[str, Callable[[str], dict[str, str]]] = {
    "as the subject itself": lambda s: _said(s),
    "inside a sentence": lambda s: _said(f"A cheerful text about {s}, please"),
    "in capitals": lambda s: _said(s.upper()),
    "in the plural": lambda s: _said(f"All kinds of {plural(s)}"),
    "as a possessive": lambda s: _said(f"The {s}'s best friend"),
    "in the details": lambda s: {"subject": _OUR_SHOP, "details": f"Do not forget {s}."},
    "in French": lambda s: _said(f"Un texte joyeux autour {elided(s)}"),
    "in a French plural": lambda s: _said(f"Une annonce pour nos {french_plural(s)}"),
    "without accents": lambda s: _said(_bare(s)),
    "spelt out": lambda s: _said(" ".join(s)),
    "with dots": lambda s: _said(".".join(s)),
    "with digits for letters": lambda s: _said(s.lower().translate(_DIGITS)),
    "with letters of another alphabet": lambda s: _said(s.lower().translate(_LOOKALIKES)),
    "with invisible marks": lambda s: _said("\u200b".join(s)),
    "with a letter masked": lambda s: _said(f"A leaflet on {_masked(s)}"),
    "with a letter stretched": lambda s: _said(f"I love {_stretched(s)}"),
    "with a joined word": lambda s: _said(f"An anti-{s} campaign"),
    "as a hashtag": lambda s: _said(f"#Best{_camelled(s)}Ever"),
    "broken at the end of a line": lambda s: {"subject": _OUR_SHOP, "details": f"Do not forget {_broken(s)}."},
    "with a space inside": lambda s: _said(f"All about {_split(s)}"),
}
"""By name as a sentence may end with it: what a buyer might write who wants the subject all the same."""
