"""PEFT, one request after another, switching adapters. Needs: pip install torch transformers peft"""

from __future__ import annotations

import json
import sys
import time

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

MIXED = False


def main(*, mixed: bool = MIXED) -> None:
    """Rows for the job on standard input."""
    job = json.load(sys.stdin)
    torch.set_num_threads(job["threads"])
    bare = AutoModelForCausalLM.from_pretrained(job["base"], dtype=torch.float32)
    network = PeftModel.from_pretrained(bare, job["adapters"][0], adapter_name="a0")
    for number, folder in enumerate(job["adapters"][1:], start=1):
        network.load_adapter(folder, adapter_name=f"a{number}")
    network.eval()
    pad = bare.config.eos_token_id

    def written(prompts: list[list[int]], names: list[str], tokens: int, sampled: bool) -> float:
        longest = max(map(len, prompts))
        ids = torch.tensor([[pad] * (longest - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
        how = {"do_sample": True, "temperature": 0.8, "top_k": 40, "top_p": 0.95} if sampled else {"do_sample": False}
        more = {"adapter_names": names} if mixed else {}
        if not mixed:
            network.set_adapter(names[0])
        begin = time.perf_counter()
        network.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=tokens,
            min_new_tokens=tokens,
            pad_token_id=pad,
            **how,
            **more,
        )
        return time.perf_counter() - begin

    rows = []
    for drawn in ("greedy", "sampled"):
        for count in job["requests"]:
            prompts, names = job["prompts"][:count], [f"a{n}" for n in range(count)]
            groups = [(prompts, names)] if mixed else [([p], [n]) for p, n in zip(prompts, names, strict=True)]
            written(*groups[0], 2, drawn == "sampled")
            waits, writing, past = [], 0.0, 0.0
            for some, theirs in groups:
                first = written(some, theirs, 1, drawn == "sampled")
                whole = written(some, theirs, job["tokens"], drawn == "sampled")
                waits += [past + first] * len(some)
                past += whole
                writing += whole - first
            waits.sort()
            rows.append(
                {
                    "requests": count,
                    "drawn": drawn,
                    "rate": count * (job["tokens"] - 1) / writing,
                    "first_p50": waits[len(waits) // 2],
                    "first_p95": waits[min(len(waits) - 1, int(len(waits) * 0.95))],
                }
            )
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
