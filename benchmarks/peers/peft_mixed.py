"""PEFT with adapters mixed in one batch; who comes later waits until it is done. Needs: torch, transformers, peft."""

from __future__ import annotations

from peft_one import Peft
from protocol import main

if __name__ == "__main__":
    main(lambda job: Peft(job, most=16))
