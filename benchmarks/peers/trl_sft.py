"""TRL's SFTTrainer with PEFT, at its defaults or set as ours is. Needs: pip install torch transformers peft trl"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def settings(job: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """For the trainer, the adapter and the loading of the base: nothing at the defaults."""
    if job["contender"] == "trl_defaults":
        return {}, {}, {}
    ours = job["recipe"]
    trainer = {
        "per_device_train_batch_size": ours["batch"],
        "max_steps": job["steps"],
        "learning_rate": ours["learning_rate"],
        "lr_scheduler_type": "cosine",
        "warmup_steps": max(1, round(job["steps"] * ours["warmup"])),
        "max_grad_norm": ours["clip"],
        "adam_beta2": 0.99,
        "weight_decay": 0.0,
        "gradient_checkpointing": False,
    }
    targets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    adapter = {"r": ours["rank"], "lora_alpha": ours["alpha"], "target_modules": targets}
    return trainer, adapter, {"dtype": "bfloat16"}


def clocks() -> tuple[float, float]:
    """Seconds, and seconds of processor time over all threads."""
    return time.perf_counter(), time.process_time()


def main() -> None:
    """Train on the pairs of the job on standard input; keep the adapter after every step, with the clock held."""
    job = json.load(sys.stdin)
    os.environ["OMP_NUM_THREADS"] = str(job["threads"])
    import torch
    from datasets import Dataset, disable_progress_bars
    from peft import LoraConfig
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer

    disable_progress_bars()
    torch.set_num_threads(job["threads"])
    trainer_set, adapter_set, base_set = settings(job)
    points: list[dict[str, Any]] = []

    class Clock(TrainerCallback):
        """Seconds of training alone."""

        spent = (0.0, 0.0)
        begun = (0.0, 0.0)

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            self.begun = clocks()

        def on_step_end(self, _: Any, state: Any, __: Any, model: Any, **___: Any) -> None:
            now = clocks()
            self.spent = (self.spent[0] + now[0] - self.begun[0], self.spent[1] + now[1] - self.begun[1])
            folder = Path(job["out"]) / f"step-{state.global_step}"
            model.save_pretrained(folder)
            seconds, processor = self.spent
            point = {"step": state.global_step, "seconds": seconds, "cpu_seconds": processor, "folder": str(folder)}
            points.append(point)
            self.begun = clocks()

    with tempfile.TemporaryDirectory() as scratch:
        arguments = SFTConfig(
            output_dir=scratch,
            seed=job["seed"],
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            model_init_kwargs=base_set or None,
            **trainer_set,
        )
        trainer = SFTTrainer(
            model=job["base"],
            args=arguments,
            train_dataset=Dataset.from_list(job["pairs"]),
            peft_config=LoraConfig(task_type="CAUSAL_LM", **adapter_set),
            callbacks=[Clock()],
        )
        trainer.train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("\n" + json.dumps({"points": points, "peak_memory_bytes": peak}))


if __name__ == "__main__":
    main()
