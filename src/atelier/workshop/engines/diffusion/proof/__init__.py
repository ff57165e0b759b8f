"""The proof of a version: four questions, answered with figures on works it never saw."""
