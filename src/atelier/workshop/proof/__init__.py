"""What the proofs of all engines have in common: figures with their uncertainty, and the question of safety."""
