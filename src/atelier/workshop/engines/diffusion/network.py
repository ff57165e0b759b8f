"""The base in memory: words to vectors, pictures to latents and back, and what the noise in a latent is.

One thread at a time may use a network. On a card it computes in bfloat16 (float16 where that is not known), the
autoencoder in single precision, which that of Stable Diffusion XL needs; on a processor all is in single precision.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from atelier.workshop.bases.cache import cache_folder
from atelier.workshop.contract import EngineUnavailable

from . import settings
from .base import Base

if TYPE_CHECKING:
    from diffusers import DDPMScheduler


@dataclass(frozen=True)
class Words:
    """A prompt as the UNet reads it: (1, tokens, width), and (1, width) of all of it where the base wants that."""

    embeds: Tensor
    pooled: Tensor | None


class Network:
    """A base of which nothing changes but which adapter it wears."""

    def __init__(self, base: Base, device: str) -> None:
        """Errors: EngineUnavailable when the base's files do not make what they say, or do not fit the device."""
        settings.check_libraries()
        # Without this torch makes a folder for compiled code among the system's temporary files, even if nothing is.
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_folder() / "torch"))
        self.base, self.device, self.dtype = base, device, _precision(device)
        self._pipe = _pipeline(base, self.dtype).to(device)
        if self.dtype != torch.float32:
            self._pipe.vae.to(torch.float32)
        for part in (self._pipe.unet, self._pipe.vae, self._pipe.text_encoder):
            part.requires_grad_(False)
        if settings.sliced():
            self._pipe.enable_attention_slicing()
            self._pipe.vae.enable_slicing()
        self.unet = self._pipe.unet
        self._wears = ""

    @property
    def schedule(self) -> Mapping[str, Any]:
        """The settings of the base's noise schedule, from which schedulers of any kind are made."""
        config: Mapping[str, Any] = self._pipe.scheduler.config
        return config

    def noising(self) -> DDPMScheduler:
        """How training mixes noise into latents (Ho et al. 2020, https://arxiv.org/abs/2006.11239)."""
        from diffusers import DDPMScheduler

        found: DDPMScheduler = DDPMScheduler.from_config(self.schedule)
        return found

    # Words and pictures ---------------------------------------------------------------------------------------------

    @torch.no_grad()
    def words(self, prompt: str) -> Words:
        """What is beyond the encoder's length is left out. No words are zeros where the base was trained so."""
        found = self._pipe.encode_prompt(
            prompt=prompt, device=self.device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
        embeds, pooled = found[0], found[2] if len(found) == 4 else None
        if not prompt and self._pipe.config.get("force_zeros_for_empty_prompt"):
            return Words(torch.zeros_like(embeds), None if pooled is None else torch.zeros_like(pooled))
        return Words(embeds, pooled)

    @torch.no_grad()
    def latent(self, picture: Image.Image) -> Tensor:
        """(1, channels, high, wide), the middle of what the autoencoder thinks likely: the same every time."""
        plain = torch.from_numpy(np.asarray(picture.convert("RGB"), dtype=np.float32) / 127.5 - 1)
        vae = self._pipe.vae
        found = vae.encode(plain.permute(2, 0, 1)[None].to(self.device)).latent_dist.mode()
        scaled: Tensor = (found - self._shift) * vae.config.scaling_factor
        return scaled

    @torch.no_grad()
    def picture(self, latent: Tensor) -> Image.Image | None:
        """What a latent shows; None where the base brings a checker and that withholds it."""
        vae = self._pipe.vae
        pixels = vae.decode(latent.float() / vae.config.scaling_factor + self._shift).sample[0]
        levels = ((pixels.permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu().numpy()
        return None if self._withheld(levels) else Image.fromarray(levels)

    @property
    def _shift(self) -> float:
        return float(getattr(self._pipe.vae.config, "shift_factor", None) or 0.0)

    def _withheld(self, levels: np.ndarray[Any, np.dtype[np.uint8]]) -> bool:
        if getattr(self._pipe, "safety_checker", None) is None:
            return False
        _, found = self._pipe.run_safety_checker(levels[None].astype(np.float32) / 255, self.device, self.dtype)
        return bool(found and found[0])

    # Noise ----------------------------------------------------------------------------------------------------------

    def noise(self, noisy: Tensor, step: Tensor, words: list[Words]) -> Tensor:
        """What the UNet says of noisy latents, each under its words; in single precision."""
        embeds = torch.cat([each.embeds for each in words])
        added = None
        if words[0].pooled is not None:
            high, wide = (edge * self._pipe.vae_scale_factor for edge in noisy.shape[-2:])
            # Size as uploaded, corner of the cut, size as asked for: nothing was cut (Podell et al. 2023).
            size = torch.tensor([[high, wide, 0, 0, high, wide]] * len(words), device=self.device, dtype=self.dtype)
            pooled = torch.cat([each.pooled for each in words if each.pooled is not None])
            added = {"text_embeds": pooled, "time_ids": size}
        found: Tensor = self.unet(
            noisy.to(self.dtype), step, encoder_hidden_states=embeds, added_cond_kwargs=added, return_dict=False
        )[0]
        return found.float()

    # Adapters -------------------------------------------------------------------------------------------------------

    def put_on(self, name: str, weights: Mapping[str, Tensor]) -> None:
        """Hold an adapter (`lora.py`) under a name, and wear it."""
        self.unet.load_lora_adapter(dict(weights), prefix=None, adapter_name=name)
        self.wear(name)

    def wear(self, name: str) -> None:
        """Use the adapter of that name, held already; "" for none."""
        if name:
            self.unet.set_adapters([name])
            self.unet.enable_lora()
        elif self._wears:
            self.unet.disable_lora()
        self._wears = name

    def drop(self, name: str) -> None:
        """Hold an adapter no longer; none is worn then."""
        self.wear("")
        self.unet.delete_adapters([name])


def _precision(device: str) -> torch.dtype:
    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _pipeline(base: Base, dtype: torch.dtype) -> Any:
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return getattr(diffusers, base.pipeline).from_pretrained(
            base.folder,
            dtype=dtype,
            variant=settings.variant() or None,
            use_safetensors=True,
            local_files_only=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise EngineUnavailable(
            f"The base “{base.info.name}” cannot be loaded: {str(error).partition(chr(10))[0][:200]}",
            where=str(base.folder),
            remedy="Fetch it anew, choose another, or another device.",
        ) from error
