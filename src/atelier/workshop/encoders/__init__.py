"""Turns works and queries into vectors that say what they mean."""
