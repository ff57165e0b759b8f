"""llama.cpp, whose batches share one adapter: sequences are stepped in turn, switching. Needs: pip install
llama-cpp-python==0.3.36 gguf safetensors"""

from __future__ import annotations

import ctypes
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import gguf
import llama_cpp as native
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

NAMES = {
    "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output",
    "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down",
}  # fmt: skip
QUIET = native.llama_log_callback(lambda level, text, data: None)


HEADS = {"q_proj": 9, "k_proj": 3}  # of SmolLM2-135M


def convert(source: Path, target: Path) -> None:
    """An adapter of PEFT as a GGUF file; rows of q and k are interleaved as llama.cpp turns them."""
    writer = gguf.GGUFWriter(str(target), "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 32.0)
    for name, values in load_file(source / "adapter_model.safetensors").items():
        parts = name.split(".")
        layer, column, side = parts[parts.index("layers") + 1], parts[-3], parts[-2][-1].lower()
        if side == "b" and column in HEADS:
            heads = HEADS[column]
            values = values.reshape(heads, 2, len(values) // heads // 2, -1).swapaxes(1, 2).reshape(values.shape)
        tensor = np.ascontiguousarray(values.astype(np.float16))
        writer.add_tensor(f"blk.{layer}.{NAMES[column]}.weight.lora_{side}", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


class Server:
    """One model, sixteen sequences, an adapter for each; a batch can hold sequences of one adapter only."""

    def __init__(self, job: dict[str, Any], folder: Path) -> None:
        native.llama_log_set(QUIET, ctypes.c_void_p(0))
        native.llama_backend_init()
        self.model = native.llama_model_load_from_file(job["gguf"].encode(), native.llama_model_default_params())
        chosen = native.llama_context_default_params()
        chosen.n_ctx, chosen.n_batch, chosen.n_seq_max = 16 * 512, 512, 16
        chosen.n_threads = chosen.n_threads_batch = job["threads"]
        self.context = native.llama_init_from_model(self.model, chosen)
        self.memory = native.llama_get_memory(self.context)
        self.batch = native.llama_batch_init(512, 0, 1)
        self.vocab = native.llama_vocab_n_tokens(native.llama_model_get_vocab(self.model))
        self.adapters = []
        for number, source in enumerate(job["adapters"]):
            convert(Path(source), folder / f"{number}.gguf")
            self.adapters.append(native.llama_adapter_lora_init(self.model, str(folder / f"{number}.gguf").encode()))

    def feed(self, sequence: int, tokens: list[int], position: int) -> NDArray[np.float32]:
        """Scores after the tokens, with the sequence's adapter."""
        one = (native.llama_adapter_lora_p_ctypes * 1)(self.adapters[sequence])
        native.llama_set_adapters_lora(self.context, one, 1, (ctypes.c_float * 1)(1.0))
        self.batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            self.batch.token[place], self.batch.pos[place] = token, position + place
            self.batch.n_seq_id[place], self.batch.seq_id[place][0] = 1, sequence
            self.batch.logits[place] = place == len(tokens) - 1
        if native.llama_decode(self.context, self.batch):
            raise RuntimeError("llama_decode failed")
        found = native.llama_get_logits_ith(self.context, len(tokens) - 1)
        return np.ctypeslib.as_array(found, (self.vocab,))

    def once(self, prompts: list[list[int]], tokens: int, sampled: bool) -> tuple[float, list[float]]:
        """Seconds until all are written, and until the first token of each."""
        native.llama_memory_clear(self.memory, True)
        random = np.random.default_rng(0)
        begin = time.perf_counter()
        last, firsts = [], []
        for sequence, prompt in enumerate(prompts):
            last.append(choose(self.feed(sequence, prompt, 0), sampled, random))
            firsts.append(time.perf_counter() - begin)
        for step in range(tokens - 1):
            for sequence, prompt in enumerate(prompts):
                last[sequence] = choose(self.feed(sequence, [last[sequence]], len(prompt) + step), sampled, random)
        return time.perf_counter() - begin, firsts


def choose(scores: NDArray[np.float32], sampled: bool, random: np.random.Generator) -> int:
    """The likeliest token, or one of the forty likeliest by chance."""
    if not sampled:
        return int(scores.argmax())
    best = np.argpartition(scores, -40)[-40:]
    weights = np.exp((scores[best] - scores[best].max()) / 0.8)
    return int(random.choice(best, p=weights / weights.sum()))


def main() -> None:
    """Rows for the job on standard input."""
    job = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(job, Path(folder))
        rows = []
        for drawn in ("greedy", "sampled"):
            for count in job["requests"]:
                server.once(job["prompts"][:count], 3, drawn == "sampled")
                whole, firsts = server.once(job["prompts"][:count], job["tokens"], drawn == "sampled")
                rows.append(
                    {
                        "requests": count,
                        "drawn": drawn,
                        "rate": count * (job["tokens"] - 1) / (whole - firsts[-1]),
                        "first_p50": float(np.percentile(firsts, 50)),
                        "first_p95": float(np.percentile(firsts, 95)),
                    }
                )
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
