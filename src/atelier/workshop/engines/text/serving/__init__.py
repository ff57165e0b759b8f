"""Serves many adapters over one base in one process: a batched ONNX Runtime graph and the scheduler that feeds it."""
