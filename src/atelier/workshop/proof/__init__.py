"""What the proofs of all engines share: figures with intervals, their pictures, the tries of guardrails."""
