"""llama.cpp, whose batches share one adapter: sequences take turns, switching. Needs: llama-cpp-python, gguf and
safetensors."""

from __future__ import annotations

import ctypes
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import gguf
import llama_cpp as native
import numpy as np
from numpy.typing import NDArray
from protocol import Token, main
from safetensors.numpy import load_file

NAMES = {
    "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
    "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down",
}  # fmt: skip
QUIET = native.llama_log_callback(lambda level, text, data: None)
SLOTS, LENGTH = 16, 512
TURN = 16
"""Tokens that a sequence writes before the next one's turn: switching costs as much as two thirds of a token."""


def convert(source: Path, target: Path, heads: dict[str, int]) -> None:
    """An adapter of PEFT as a GGUF file; rows of q and k are interleaved as llama.cpp turns them."""
    config = json.loads((source / "adapter_config.json").read_text(encoding="utf-8"))
    writer = gguf.GGUFWriter(str(target), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(config["lora_alpha"]))
    for name, values in load_file(source / "adapter_model.safetensors").items():
        parts = name.split(".")
        layer, column, side = parts[parts.index("layers") + 1], parts[-3], parts[-2][-1].lower()
        if side == "b" and column in heads:
            count = heads[column]
            values = values.reshape(count, 2, len(values) // count // 2, -1).swapaxes(1, 2).reshape(values.shape)
        tensor = np.ascontiguousarray(values.astype(np.float16))
        writer.add_tensor(f"blk.{layer}.{NAMES[column]}.weight.lora_{side}", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Text:
    """One sequence: where it stands, and what it is to be fed next."""

    def __init__(self, slot: int, prompt: list[int], adapter: int, tokens: int, sampled: bool) -> None:
        self.slot, self.adapter, self.sampled = slot, adapter, sampled
        self.feed, self.position, self.left = prompt, 0, tokens


class LlamaCpp:
    """One model and a sequence for each request. Prompts are read before others write on."""

    together = True

    def __init__(self, job: dict[str, Any]) -> None:
        native.llama_log_set(QUIET, ctypes.c_void_p(0))
        native.llama_backend_init()
        self.model = native.llama_model_load_from_file(job["gguf"].encode(), native.llama_model_default_params())
        self.batch = native.llama_batch_init(LENGTH, 0, 1)
        self.vocab = native.llama_vocab_n_tokens(native.llama_model_get_vocab(self.model))
        self.end_mark = native.llama_vocab_eos(native.llama_model_get_vocab(self.model))
        heads = {"q_proj": native.llama_model_n_head(self.model), "k_proj": native.llama_model_n_head_kv(self.model)}
        self.adapters = []
        with tempfile.TemporaryDirectory() as folder:
            for number, source in enumerate(job["adapters"]):
                target = Path(folder) / f"{number}.gguf"
                convert(Path(source), target, heads)
                self.adapters.append(native.llama_adapter_lora_init(self.model, str(target).encode()))
        # After the adapters: a context has room for those that are there when it is made.
        chosen = native.llama_context_default_params()
        chosen.n_ctx, chosen.n_batch, chosen.n_seq_max = SLOTS * LENGTH, LENGTH, SLOTS
        chosen.n_threads = chosen.n_threads_batch = job["threads"]
        self.context = native.llama_init_from_model(self.model, chosen)
        self.memory = native.llama_get_memory(self.context)
        self.turn = job.get("turn", TURN)
        self.settings = f"GGUF Q4_1 as it came, adapters by turns of {self.turn} tokens, {job['threads']} threads"
        self.random = np.random.default_rng(0)
        self.free = list(range(SLOTS))
        self.waiting: list[tuple[int, list[int], int, int, bool]] = []
        self.texts: dict[int, Text] = {}
        self.current = -1

    def begin(self, number: int, prompt: list[int], adapter: int, tokens: int, sampled: bool) -> None:
        self.waiting.append((number, prompt, adapter, tokens, sampled))

    def step(self, wait: float) -> list[Token]:
        """A prompt is read, or a sequence writes for a turn."""
        while self.waiting and self.free:
            number, *rest = self.waiting.pop(0)
            self.texts[number] = Text(self.free.pop(), *rest)
        number = next((n for n, text in self.texts.items() if not text.position), next(iter(self.texts)))
        text = self.texts.pop(number)
        self.texts[number] = text  # to the end of the row
        found: list[Token] = []
        for _ in range(1 if not text.position else min(self.turn, text.left)):
            token = self.next(text)
            found.append((number, token, time.perf_counter()))
        return found

    def next(self, text: Text) -> int:
        """Feed what is to be fed, and choose."""
        if self.current != text.adapter:
            one = (native.llama_adapter_lora_p_ctypes * 1)(self.adapters[text.adapter])
            native.llama_set_adapters_lora(self.context, one, 1, (ctypes.c_float * 1)(1.0))
            self.current = text.adapter
        self.batch.n_tokens = len(text.feed)
        for place, token in enumerate(text.feed):
            self.batch.token[place], self.batch.pos[place] = token, text.position + place
            self.batch.n_seq_id[place], self.batch.seq_id[place][0] = 1, text.slot
            self.batch.logits[place] = place == len(text.feed) - 1
        if native.llama_decode(self.context, self.batch):
            raise RuntimeError("llama_decode failed")
        scores = native.llama_get_logits_ith(self.context, len(text.feed) - 1)
        token = choose(np.ctypeslib.as_array(scores, (self.vocab,)), self.end_mark, text.sampled, self.random)
        text.position += len(text.feed)
        text.feed, text.left = [token], text.left - 1
        return token

    def end(self, number: int) -> None:
        self.waiting = [one for one in self.waiting if one[0] != number]
        if text := self.texts.pop(number, None):
            native.llama_memory_seq_rm(self.memory, text.slot, -1, -1)
            self.free.append(text.slot)


def choose(scores: NDArray[np.float32], never: int, sampled: bool, random: np.random.Generator) -> int:
    """The likeliest token, or one by chance of the likeliest forty that make up 95 %."""
    scores[never] = -np.inf
    if not sampled:
        return int(scores.argmax())
    best = np.argpartition(scores, -40)[-40:]
    best = best[np.argsort(-scores[best])]
    weights = np.exp((scores[best] - scores[best[0]]) / 0.8)
    heaped = np.cumsum(weights / weights.sum())
    drawn = random.random() * heaped[kept := int(np.searchsorted(heaped, 0.95))]
    return int(best[min(int(np.searchsorted(heaped, drawn, side="right")), kept)])


if __name__ == "__main__":
    main(LlamaCpp)
