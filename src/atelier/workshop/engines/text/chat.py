"""The marks by which a base tells turns of a conversation apart: a small table, chosen by what its tokenizer knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from atelier.workshop.contract import EngineUnavailable

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Template:
    """How turns are written. `marks` must each be one token; `end` closes a turn and stands among them.

    `begin` opens a conversation, `head` a turn with the role's name in it; `between` follows the end of a turn;
    `thought` stands before the writer's text.
    """

    name: str
    marks: tuple[str, ...]
    begin: str
    head: str
    end: str
    between: str
    thought: str = ""

    def turn(self, role: str, text: str) -> str:
        """A whole turn."""
        return f"{self.head.format(role=role)}{text}{self.end}{self.between}"

    def opened(self) -> str:
        """The writer's turn up to where the text begins."""
        return f"{self.head.format(role='assistant')}{self.thought}"


CHATML = Template(
    name="ChatML",
    marks=("<|im_start|>", "<|im_end|>"),
    begin="",
    head="<|im_start|>{role}\n",
    end="<|im_end|>",
    between="\n",
)
# Qwen3 thinks aloud first unless its turn begins with a thought that is empty; adapters are taught to write at once.
CHATML_THOUGHTFUL = replace(
    CHATML,
    name="ChatML with thoughts",
    marks=(*CHATML.marks, "<think>", "</think>"),
    thought="<think>\n\n</think>\n\n",
)
# Without the date that Llama 3.1's own template puts before the system's words: a prompt is the same on every day.
LLAMA3 = Template(
    name="Llama 3",
    marks=("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    begin="<|begin_of_text|>",
    head="<|start_header_id|>{role}<|end_header_id|>\n\n",
    end="<|eot_id|>",
    between="",
)
TEMPLATES = (CHATML_THOUGHTFUL, CHATML, LLAMA3)
"""The first whose marks a tokenizer knows is the base's."""


def template_of(tokenizer: Tokenizer) -> Template:
    """The template of a base. Errors: EngineUnavailable when it is none of those known here."""
    for template in TEMPLATES:
        if all(tokenizer.token_to_id(mark) is not None for mark in template.marks):
            return template
    known = " nor ".join(f"{each.name} ({', '.join(each.marks)})" for each in (CHATML, LLAMA3))
    raise EngineUnavailable(
        f"The base model's chat template is neither {known}: its tokenizer lacks these marks.",
        remedy="Choose a base that was taught one of them, such as an “Instruct” version of SmolLM2, Llama 3 or Qwen.",
    )


def end_mark(tokenizer: Tokenizer) -> int:
    """The id of the mark that ends a turn. Errors: EngineUnavailable when the base's chat template is another."""
    return cast(int, tokenizer.token_to_id(template_of(tokenizer).end))
