"""PEFT, one request after another, switching adapters. Needs: torch, transformers and peft."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import torch
from peft import PeftModel
from protocol import Token, main
from transformers import AutoModelForCausalLM, StoppingCriteria, StoppingCriteriaList

DRAWN = {
    False: {"do_sample": False, "temperature": None, "top_k": None, "top_p": None},
    True: {"do_sample": True, "temperature": 0.8, "top_k": 40, "top_p": 0.95},
}
Asked = tuple[int, list[int], str, int, bool]
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Told(StoppingCriteria):
    """Says after every step which tokens came, and stops where everybody was let go."""

    def __init__(self, numbers: list[int], server: Peft) -> None:
        self.numbers, self.server = numbers, server

    def __call__(self, input_ids: torch.Tensor, scores: Any, **more: Any) -> torch.Tensor:
        when = time.perf_counter()
        for number, token in zip(self.numbers, input_ids[:, -1].tolist(), strict=True):
            self.server.told.put((number, token, when))
        over = not any(number in self.server.wanted for number in self.numbers)
        return torch.full((len(self.numbers),), over, dtype=torch.bool)


class Peft:
    """`generate` in a thread: one request at a time, or all that wait as one batch of up to `most`.

    In bfloat16 it writes more slowly, even on a processor with matrix units for it: 16.5 against 18.8 tokens for each
    second of one core at eight texts, 7.8 against 8.3 at one.
    """

    def __init__(self, job: dict[str, Any], most: int = 1, numbers: str = "float32") -> None:
        self.most, self.together, self.threads = most, most > 1, job["threads"]
        self.bare = AutoModelForCausalLM.from_pretrained(job["base"], dtype=TYPES[numbers])
        self.network = PeftModel.from_pretrained(
            self.bare, job["adapters"][0], adapter_name="a0", autocast_adapter_dtype=False
        )
        for number, folder in enumerate(job["adapters"][1:], start=1):
            self.network.load_adapter(folder, adapter_name=f"a{number}", autocast_adapter_dtype=False)
        self.network.to(TYPES[numbers]).eval()
        self.settings = f"transformers generate, {numbers}, batches of up to {most}, {self.threads} threads"
        self.told: queue.SimpleQueue[Token | BaseException] = queue.SimpleQueue()
        self.asked: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self.wanted: set[int] = set()
        self.idle = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def begin(self, number: int, prompt: list[int], adapter: int, tokens: int, sampled: bool) -> None:
        self.wanted.add(number)
        self.asked.put((number, prompt, f"a{adapter}", tokens, sampled))

    def step(self, wait: float) -> list[Token]:
        try:
            told = [self.told.get(timeout=wait)]
            while not self.told.empty():
                told.append(self.told.get_nowait())
        except queue.Empty:
            return []
        for each in told:
            if isinstance(each, BaseException):
                raise each
        return [each for each in told if not isinstance(each, BaseException)]

    def end(self, number: int) -> None:
        self.wanted.discard(number)
        if not self.wanted:  # what was given up must be gone before the next task is timed
            self.idle.clear()
            self.asked.put(None)
            self.idle.wait()
            while not self.told.empty():
                self.told.get()

    def serve(self) -> None:
        torch.set_num_threads(self.threads)
        while True:
            batch = [self.asked.get()]
            while batch[-1] is not None and len(batch) < self.most and not self.asked.empty():
                batch.append(self.asked.get())
            wanted = [one for one in batch if one is not None and one[0] in self.wanted]
            try:
                if wanted:
                    self.write(wanted)
            except BaseException as error:
                self.told.put(error)
            if batch[-1] is None:
                self.idle.set()

    def write(self, batch: list[Asked]) -> None:
        pad, longest = self.bare.config.eos_token_id, max(len(prompt) for _, prompt, *_ in batch)
        ids = torch.tensor([[pad] * (longest - len(prompt)) + prompt for _, prompt, *_ in batch])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for _, prompt, *_ in batch])
        names = [name for *_, name, _, _ in batch]
        if self.most == 1:
            self.network.set_adapter(names[0])
        *_, tokens, sampled = batch[0]
        self.network.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            pad_token_id=pad,
            stopping_criteria=StoppingCriteriaList([Told([number for number, *_ in batch], self)]),
            **DRAWN[sampled],
            **({"adapter_names": names} if self.most > 1 else {}),
        )


if __name__ == "__main__":
    main(Peft)
