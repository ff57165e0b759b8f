"""Writes the base as one ONNX graph in which every row of a batch brings its own adapter and its own past.

Weights are 8-bit in blocks of 32 (MatMulNBits at accuracy level 4, whose kernels give each row the same bits whatever
the number of rows); attention is GroupQueryAttention over a cache that is updated in place; the low-rank parts are
inputs with one slice a row, so that their products never mix rows either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from atelier.workshop.engines.text.base import Base, LlamaShape

VERSION = 1
"""Raised when the graph changes, so that a cached one is built anew."""

BLOCK = 32
MICROSOFT = "com.microsoft"


def adapter_inputs(shape: LlamaShape, rank: int) -> dict[str, tuple[int, int]]:
    """The sizes (inputs, outputs) of one layer's low-rank parts by their short names; A parts of fused layers are
    side by side."""
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    return {
        "A_qkv": (shape.hidden, 3 * rank),
        "B_q": (rank, q),
        "B_k": (rank, kv),
        "B_v": (rank, kv),
        "A_o": (q, rank),
        "B_o": (rank, shape.hidden),
        "A_gu": (shape.hidden, 2 * rank),
        "B_gate": (rank, shape.intermediate),
        "B_up": (rank, shape.intermediate),
        "A_down": (shape.intermediate, rank),
        "B_down": (rank, shape.hidden),
    }


def quantise(weights: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Weights (outputs, inputs) as bytes (outputs, blocks, 32) around 128 and one scale a block, for MatMulNBits."""
    outputs, inputs = weights.shape
    blocks = weights.reshape(outputs, inputs // BLOCK, BLOCK)
    # The sign of the scale lets the extreme of each block fall on -128, where the wider half of the range is.
    extreme = np.take_along_axis(blocks, np.abs(blocks).argmax(2)[..., None], 2)[..., 0]
    scales = np.where(extreme == 0, np.float32(1e-8), -extreme / 128).astype(np.float32)
    levels = np.clip(np.rint(blocks / scales[..., None]) + 128, 0, 255).astype(np.uint8)
    return levels, scales.reshape(-1)


def build(base: Base, rank: int, length: int, path: Path) -> None:
    """Write the graph and, beside it, its weights as `<name>.data`. `length` bounds prompt and answer together."""
    model = _Builder(base, rank, length).model()
    onnx.save_model(model, str(path), save_as_external_data=True, location=f"{path.name}.data", size_threshold=1024)


class _Builder:
    def __init__(self, base: Base, rank: int, length: int) -> None:
        self.shape, self.weights = base.config, base.weights()
        self.rank, self.length = rank, length
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def model(self) -> Any:
        shape = self.shape
        self._input("ids", TensorProto.INT64, ["batch", "time"])
        self._input("last", TensorProto.INT32, ["batch"])
        self._input("total", TensorProto.INT32, [1])
        self._rotary()
        q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
        self._constant("qkv_sizes", np.array([q, kv, kv], np.int64))
        self._constant("gu_sizes", np.array([shape.intermediate] * 2, np.int64))
        embedding = self.weights["model.embed_tokens.weight"]
        # Half the bytes of float32; the converted base keeps bfloat16, which float16 holds to within 3e-8.
        x = self._node("Gather", [self._constant("embedding", embedding.astype(np.float16)), "ids"], "embedded16")
        x = self._node("Cast", [x], "embedded", to=TensorProto.FLOAT)
        for layer in range(shape.layers):
            x = self._layer(layer, x)
        x = self._norm(x, "model.norm.weight", "normed")
        x = self._node("Gather", [x, self._constant("minus_one", np.array(-1, np.int64))], "final", axis=1)
        head = embedding if shape.tied else self.weights["lm_head.weight"]
        self.outputs.insert(0, helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", shape.vocab]))
        self._linear(x, head, "logits")
        graph = helper.make_graph(self.nodes, "atelier", self.inputs, self.outputs, self.constants)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)

    def _layer(self, layer: int, x: str) -> str:
        name, at = f"model.layers.{layer}.", f"l{layer}_"
        self._adapter_inputs(at)
        normed = self._norm(x, f"{name}input_layernorm.weight", f"{at}norm1")
        y = self._linear(normed, self._joined(name, "self_attn", "q_proj", "k_proj", "v_proj"), f"{at}qkv")
        y = self._add(y, self._low_rank(normed, f"{at}A_qkv", [f"{at}B_q", f"{at}B_k", f"{at}B_v"]), f"{at}qkv_sum")
        heads = [f"{at}q", f"{at}k", f"{at}v"]
        self._nodes("Split", [y, "qkv_sizes"], heads, axis=-1)
        attended = self._attention(layer, heads, at)
        y = self._linear(attended, self.weights[f"{name}self_attn.o_proj.weight"], f"{at}o")
        y = self._add(y, self._low_rank(attended, f"{at}A_o", [f"{at}B_o"]), f"{at}o_sum")
        x = self._add(x, y, f"{at}x1")
        normed = self._norm(x, f"{name}post_attention_layernorm.weight", f"{at}norm2")
        y = self._linear(normed, self._joined(name, "mlp", "gate_proj", "up_proj"), f"{at}gu")
        y = self._add(y, self._low_rank(normed, f"{at}A_gu", [f"{at}B_gate", f"{at}B_up"]), f"{at}gu_sum")
        self._nodes("Split", [y, "gu_sizes"], [f"{at}gate", f"{at}up"], axis=-1)
        y = self._node("Mul", [f"{at}gate", self._node("Sigmoid", [f"{at}gate"], f"{at}sig")], f"{at}silu")
        inner = self._node("Mul", [y, f"{at}up"], f"{at}inner")
        y = self._linear(inner, self.weights[f"{name}mlp.down_proj.weight"], f"{at}down")
        y = self._add(y, self._low_rank(inner, f"{at}A_down", [f"{at}B_down"]), f"{at}down_sum")
        return self._add(x, y, f"{at}x2")

    def _attention(self, layer: int, heads: list[str], at: str) -> str:
        past: list[Any] = ["batch", self.shape.kv_heads, self.length, self.shape.head_dim]
        for part in "kv":
            self._input(f"past_{part}{layer}", TensorProto.FLOAT, past)
            self.outputs.append(helper.make_tensor_value_info(f"next_{part}{layer}", TensorProto.FLOAT, past))
        self._nodes(
            "GroupQueryAttention",
            [*heads, f"past_k{layer}", f"past_v{layer}", "last", "total", "cos", "sin"],
            [f"{at}attended", f"next_k{layer}", f"next_v{layer}"],
            domain=MICROSOFT,
            num_heads=self.shape.heads,
            kv_num_heads=self.shape.kv_heads,
            do_rotary=1,
        )
        return f"{at}attended"

    def _linear(self, x: str, weights: NDArray[np.float32], name: str) -> str:
        levels, scales = quantise(weights)
        return self._node(
            "MatMulNBits",
            [x, self._constant(f"{name}_levels", levels), self._constant(f"{name}_scales", scales)],
            name,
            domain=MICROSOFT,
            K=weights.shape[1],
            N=weights.shape[0],
            bits=8,
            block_size=BLOCK,
            accuracy_level=4,
        )

    def _low_rank(self, x: str, down: str, ups: list[str]) -> str:
        inner = self._node("MatMul", [x, down], f"{down}_x")
        parts = [inner]
        if len(ups) > 1:
            parts = [f"{up}_in" for up in ups]
            self._nodes("Split", [inner], parts, axis=-1, num_outputs=len(ups))
        added = [self._node("MatMul", [part, up], f"{up}_x") for part, up in zip(parts, ups, strict=True)]
        return added[0] if len(added) == 1 else self._node("Concat", added, f"{down}_sum", axis=-1)

    def _adapter_inputs(self, at: str) -> None:
        for name, size in adapter_inputs(self.shape, self.rank).items():
            self._input(at + name, TensorProto.FLOAT, ["batch", *size])

    def _rotary(self) -> None:
        half = np.arange(0, self.shape.head_dim, 2) / self.shape.head_dim
        angles = np.outer(np.arange(self.length), self.shape.rope_theta**-half)
        self._constant("cos", np.cos(angles).astype(np.float32))
        self._constant("sin", np.sin(angles).astype(np.float32))

    def _norm(self, x: str, weights: str, name: str) -> str:
        gain = self._constant(f"{name}_gain", self.weights[weights])
        return self._node("SimplifiedLayerNormalization", [x, gain], name, epsilon=self.shape.norm_eps, axis=-1)

    def _add(self, one: str, other: str, name: str) -> str:
        return self._node("Add", [one, other], name)

    def _joined(self, layer: str, part: str, *names: str) -> NDArray[np.float32]:
        return np.concatenate([self.weights[f"{layer}{part}.{name}.weight"] for name in names])

    def _constant(self, name: str, values: NDArray[Any]) -> str:
        # ascontiguousarray would turn a scalar into a vector
        self.constants.append(
            numpy_helper.from_array(values if values.ndim == 0 else np.ascontiguousarray(values), name)
        )
        return name

    def _input(self, name: str, kind: int, size: list[Any]) -> None:
        self.inputs.append(helper.make_tensor_value_info(name, kind, size))

    def _node(self, operator: str, inputs: list[str], output: str, **options: Any) -> str:
        self._nodes(operator, inputs, [output], **options)
        return output

    def _nodes(self, operator: str, inputs: list[str], outputs: list[str], **options: Any) -> None:
        self.nodes.append(helper.make_node(operator, inputs, outputs, **options))
