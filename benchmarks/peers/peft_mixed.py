"""PEFT with adapters mixed in one batch. Needs: pip install torch transformers peft"""

from __future__ import annotations

from peft_one import main

if __name__ == "__main__":
    main(mixed=True)
