"""A diffusion base of some ten thousand random weights, in the layout of diffusers; nothing is downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WIDTH = 16
_BLOCKS: dict[str, Any] = {"norm_num_groups": 4, "layers_per_block": 1, "block_out_channels": (8, 16)}


def write_tiny_diffusion(folder: Path, *, large: bool = False, seed: int = 0) -> Path:
    """A whole base in a new folder, of the kind of Stable Diffusion, or with `large` of Stable Diffusion XL."""
    import torch
    from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        parts = _parts(folder, large)
        pipe = (
            StableDiffusionXLPipeline(**parts)
            if large
            else StableDiffusionPipeline(
                **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
            )
        )
        pipe.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: cc0-1.0\n---\n", encoding="utf-8")
    return folder


def _parts(folder: Path, large: bool) -> dict[str, Any]:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    tokenizer = _tokenizer(folder)
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=WIDTH, num_attention_heads=2,
        num_hidden_layers=1, max_position_embeddings=77, projection_dim=WIDTH,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    more: dict[str, Any] = {}
    if large:
        more = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 4,
            "projection_class_embeddings_input_dim": 6 * 4 + WIDTH,
        }
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, attention_head_dim=2,
        cross_attention_dim=2 * WIDTH if large else WIDTH,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("UpBlock2D", "UpBlock2D"),
        **_BLOCKS, **more,
    )  # fmt: skip
    vae = AutoencoderKL(
        latent_channels=4, sample_size=32,
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, **_BLOCKS,
    )  # fmt: skip
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    found = {
        "unet": unet, "vae": vae, "scheduler": scheduler, "text_encoder": CLIPTextModel(text), "tokenizer": tokenizer,
    }  # fmt: skip
    if large:
        found |= {"text_encoder_2": CLIPTextModelWithProjection(text), "tokenizer_2": tokenizer}
    return found


def _tokenizer(folder: Path) -> Any:
    """One that reads letters: each is a token of its own, at the end of a word another."""
    from transformers import CLIPTokenizer

    letters = [chr(code) for code in range(33, 127)]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    words = folder / "letters"
    words.mkdir()
    (words / "vocab.json").write_text(json.dumps({token: number for number, token in enumerate(tokens)}))
    (words / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(words / "vocab.json"), str(words / "merges.txt"), model_max_length=77)
