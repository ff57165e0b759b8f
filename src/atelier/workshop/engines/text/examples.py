"""Turns works into what the network sees: a prompt, and the tokens it is to learn or be measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atelier.workshop.contract import Unreadable, WorkFile

from .chat import end_mark, template_of
from .prompts import prompt_text, prompt_text_for_work
from .splits import Text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CARRIED = 64
"""Tokens of the part before that a later part of a long work is shown, but not measured on."""


@dataclass(frozen=True)
class Example:
    """Tokens of which those from `begin` on are the creator's; with `ends`, the last is the mark of the end."""

    work: int
    tokens: tuple[int, ...]
    begin: int
    ends: bool

    @property
    def targets(self) -> int:
        return len(self.tokens) - self.begin


def read(work: WorkFile) -> Text:
    """The words of a work. Errors: Unreadable, naming the work, when it is gone, changed, empty or not text."""
    try:
        raw = Path(work.path).read_bytes()
    except OSError as error:
        raise _unreadable(work, "Its file is missing.") from error
    if hashlib.sha256(raw).hexdigest() != work.sha256:
        raise _unreadable(work, "Its file changed after the dataset was frozen.")
    try:
        text = raw.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise _unreadable(work, "Its file is not text in UTF-8.") from error
    if not text:
        raise _unreadable(work, "It is empty.")
    return Text(work, text)


def _unreadable(work: WorkFile, reason: str) -> Unreadable:
    return Unreadable(reason, where=work.title or work.id, remedy="Upload it again, or leave it out of the dataset.")


def examples(texts: Sequence[Text], tokenizer: Tokenizer, longest: int) -> list[Example]:
    """Every work as one example, or as many as it needs when longer than `longest` tokens; nothing is thrown away."""
    return [example for i, text in enumerate(texts) for example in _of_work(i, text, tokenizer, longest)]


def answered(brief: dict[str, str], text: str, tokenizer: Tokenizer, longest: int) -> list[Example]:
    """A text that was written for a brief, as if it were a work. Errors: BriefInvalid."""
    return list(_parts(0, prompt_text(brief, template_of(tokenizer)), text, tokenizer, longest))


def _of_work(number: int, text: Text, tokenizer: Tokenizer, longest: int) -> Iterator[Example]:
    asked = prompt_text_for_work(text.work, text.text, template_of(tokenizer))
    return _parts(number, asked, text.text, tokenizer, longest)


def _parts(number: int, asked: str, text: str, tokenizer: Tokenizer, longest: int) -> Iterator[Example]:
    prompt = tokenizer.encode(asked, add_special_tokens=False).ids[-longest // 2 :]
    # The creator's own text is never read as control marks, whatever it holds.
    marks = specials(tokenizer)
    body = [t for t in tokenizer.encode(text, add_special_tokens=False).ids if t not in marks]
    body.append(end_mark(tokenizer))
    start, most = 0, min(CARRIED, longest // 4)  # With half for the prompt, a quarter at least is new.
    while start < len(body):
        carried = body[max(0, start - most) : start]
        room = longest - len(prompt) - len(carried)
        part = body[start : start + room]
        start += room
        head = (*prompt, *carried)
        yield Example(number, (*head, *part), len(head), ends=start >= len(body))


def specials(tokenizer: Tokenizer) -> frozenset[int]:
    """The ids of control marks."""
    return frozenset(i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special)
