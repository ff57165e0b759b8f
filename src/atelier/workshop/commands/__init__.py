"""The workshop's commands: train, generate and inspect without any market."""
