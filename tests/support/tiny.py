"""A base model so small that it trains in a second."""

from __future__ import annotations

import json
from pathlib import Path


def write_tiny_base(folder: Path) -> Path:
    """Write a base of 40,000 random weights that reads bytes, in the layout of transformers; returns the folder."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={sign: i for i, sign in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    sizes = {"q_proj": (32, 32), "k_proj": (16, 32), "v_proj": (16, 32), "o_proj": (32, 32)}
    shapes = {"model.embed_tokens": (258, 32), "model.norm": (32,)}
    for layer in range(2):
        place = f"model.layers.{layer}"
        shapes |= {f"{place}.self_attn.{name}": size for name, size in sizes.items()}
        shapes |= {f"{place}.mlp.{name}": (64, 32) for name in ("gate_proj", "up_proj")}
        shapes |= {f"{place}.mlp.down_proj": (32, 64)}
        shapes |= {f"{place}.{name}": (32,) for name in ("input_layernorm", "post_attention_layernorm")}
    source = torch.Generator().manual_seed(1)
    tensors = {
        f"{name}.weight": torch.randn(size, generator=source) * (0.3 if len(size) > 1 else 0.1) + (len(size) == 1)
        for name, size in shapes.items()
    }
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "intermediate_size": 64, "vocab_size": 258,
        "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_theta": 5000.0, "tie_word_embeddings": True,
        "bos_token_id": 256, "eos_token_id": 257, "license": "CC0-1.0", "hidden_act": "silu",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder
