"""Bases of every shape that is supported are read, trained and served as transformers understands them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from atelier.workshop.contract import EngineUnavailable, GenerateSpec, TrainSpec, WorkFile
from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text.base import Base, base
from atelier.workshop.engines.text.chat import CHATML, CHATML_THOUGHTFUL, LLAMA3, Template, end_mark, template_of
from atelier.workshop.engines.text.prompts import prompt_text, prompt_tokens
from atelier.workshop.engines.text.serving.native.decoder import Decoder, Feed
from atelier.workshop.engines.text.shape import LlamaShape, rotary_speeds

if TYPE_CHECKING:
    from atelier.workshop.engines.text.lora import Lora

STRETCHED = {
    "rope_type": "llama3", "rope_theta": 10_000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
SIZES = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "intermediate_size": 96, "vocab_size": 272, "max_position_embeddings": 4096,
}  # fmt: skip
SHAPES: dict[str, tuple[str, dict[str, Any], Template]] = {
    "SmolLM2": ("Llama", {"tie_word_embeddings": True}, CHATML),
    "Llama 3": ("Llama", {"tie_word_embeddings": False, "rope_parameters": STRETCHED}, LLAMA3),
    "Qwen2": ("Qwen2", {"tie_word_embeddings": True}, CHATML),
    "Qwen3": ("Qwen3", {"tie_word_embeddings": False, "head_dim": 32}, CHATML_THOUGHTFUL),
}
"""The class of transformers, what differs from its defaults, and the chat template."""
RAGGED = [[5, 9, 200, 31, 7], [100], list(range(60, 160)), [3] * 40]


def write_tokenizer(folder: Path, marks: tuple[str, ...]) -> None:
    """Every byte is a token, and so is each of the marks."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={sign: i for i, sign in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|another end|>", *marks])
    tokenizer.save(str(folder / "tokenizer.json"))


def write_base(name: str, folder: Path) -> None:
    """A base with random weights, biases and norms too, as transformers saves it: in several parts where untied."""
    import torch
    import transformers

    family, changes, template = SHAPES[name]
    ends = [256, 256 + 1 + template.marks.index(template.end)]
    config = getattr(transformers, f"{family}Config")(**{**SIZES, **changes}, bos_token_id=None, eos_token_id=ends)
    network = getattr(transformers, f"{family}ForCausalLM")(config)
    source = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in network.parameters():
            middle, spread = (1.0, 0.2) if parameter.dim() == 1 else (0.0, 0.15)
            parameter.normal_(middle, spread, generator=source)
    parts = "5GB" if config.tie_word_embeddings else "150KB"
    network.save_pretrained(folder, max_shard_size=parts)
    write_tokenizer(folder, template.marks)


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a shape's base, written when it is first asked for."""
    pytest.importorskip("transformers", reason="transformers is a development dependency")
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("shape")
            write_base(name, made[name])
        return made[name]

    return folder


@pytest.fixture(params=list(SHAPES))
def shaped(
    request: pytest.FixtureRequest, folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> tuple[str, Base]:
    """Each shape in turn, chosen as this installation's own base."""
    monkeypatch.setenv("ATELIER_TEXT_BASE", str(folders(request.param)))
    return request.param, base()


def peer(found: Base, name: str) -> Any:
    import torch
    import transformers

    kind = getattr(transformers, f"{SHAPES[name][0]}ForCausalLM")
    return kind.from_pretrained(found.directory, dtype=torch.float32).eval()


def random_adapter(found: Base, seed: int) -> Lora:
    import torch

    from atelier.workshop.engines.text import lora

    made = lora.fresh(found.config, rank=8, alpha=16, seed=seed)
    source = torch.Generator().manual_seed(seed)
    for values in made.up.values():
        values.data.normal_(0, 0.05, generator=source)
    return made


def exact(found: Base, adapter: Lora | None = None) -> list[np.ndarray]:
    """The scores of the network that is trained, in float32, for each of the ragged texts."""
    import torch

    from atelier.workshop.engines.text.llama import Llama

    network = Llama(found, torch.float32)
    with torch.no_grad():
        scores = network.logits(network.hidden(RAGGED, adapter))
    return [part.numpy() for part in scores.split([len(text) for text in RAGGED])]


# What is read ----------------------------------------------------------------------------------------------------


def test_a_shape_is_what_its_configuration_says(shaped: tuple[str, Base]) -> None:
    name, found = shaped
    shape = found.config
    assert (shape.heads, shape.kv_heads, shape.head_dim) == (4, 2, 32 if name == "Qwen3" else 16)
    assert (shape.qkv_bias, shape.qk_norm) == (name == "Qwen2", name == "Qwen3")
    assert (shape.stretch is not None) == (name == "Llama 3")
    assert shape.tied == (name in {"SmolLM2", "Qwen2"})
    assert len(found.weights_files) == 1 if shape.tied else len(found.weights_files) > 2
    assert found.info.parameters == sum(values.size for values in found.weights().values())


def test_a_text_ends_with_the_mark_of_the_template_whichever_ends_there_are(shaped: tuple[str, Base]) -> None:
    name, found = shaped
    tokenizer = found.tokenizer()
    assert template_of(tokenizer) == SHAPES[name][2]
    assert tokenizer.id_to_token(found.config.eos) == template_of(tokenizer).end
    assert found.config.eos == end_mark(tokenizer)


def test_the_rotary_positions_are_those_of_transformers(shaped: tuple[str, Base]) -> None:
    name, found = shaped
    theirs = peer(found, name).model.rotary_emb.inv_freq.numpy()
    np.testing.assert_allclose(rotary_speeds(found.config), theirs, rtol=1e-5)


def test_the_older_spelling_of_a_configuration_means_the_same(folders: Callable[[str], Path]) -> None:
    config = json.loads((folders("Llama 3") / "config.json").read_text())
    rope = config.pop("rope_parameters")
    older = {**config, "rope_theta": rope.pop("rope_theta"), "rope_scaling": rope}
    assert LlamaShape.from_hf(older) == LlamaShape.from_hf({**config, "rope_parameters": STRETCHED})
    older["rope_scaling"]["type"] = older["rope_scaling"].pop("rope_type")
    assert LlamaShape.from_hf(older).stretch is not None


# What is computed ------------------------------------------------------------------------------------------------


def test_the_trained_network_gives_the_scores_of_transformers(shaped: tuple[str, Base]) -> None:
    import torch

    name, found = shaped
    theirs = peer(found, name)
    for text, scores in zip(RAGGED, exact(found), strict=True):
        with torch.no_grad():
            wanted = theirs(torch.tensor([text])).logits[0].numpy()
        np.testing.assert_allclose(scores, wanted, atol=1e-4, rtol=1e-4)


def served(decoder: Decoder, feeds: list[Feed]) -> np.ndarray:
    return decoder.step(feeds).copy()


def test_the_served_network_is_near_the_trained_one_with_and_without_an_adapter(shaped: tuple[str, Base]) -> None:
    from atelier.workshop.engines.text.serving.adapters import packed

    _, found = shaped
    lora = random_adapter(found, 1)
    decoder = Decoder(found, slots=len(RAGGED), length=128, threads=2)
    for adapter, native in ((None, None), (lora, packed(lora, found.config))):
        for slot in range(len(RAGGED)):
            decoder.set_adapter(slot, native)
        scores = served(decoder, [Feed(slot, 0, text) for slot, text in enumerate(RAGGED)])
        wanted = np.stack([part[-1] for part in exact(found, adapter)])
        # Levels have 8 bits. To leave out a vector of the layers, or the stretch, costs six times as much at least.
        assert np.abs(scores - wanted).mean() < 0.03 * wanted.std()
    decoder.close()


def test_a_text_gives_the_same_bits_in_any_company_and_however_it_is_divided(shaped: tuple[str, Base]) -> None:
    from atelier.workshop.engines.text.serving.adapters import packed

    _, found = shaped
    adapters = [packed(random_adapter(found, seed), found.config) for seed in range(3)]
    decoder = Decoder(found, slots=len(RAGGED), length=128, threads=2)
    for slot, adapter in enumerate((*adapters, None)):
        decoder.set_adapter(slot, adapter)
    together = served(decoder, [Feed(slot, 0, text) for slot, text in enumerate(RAGGED)])
    plain = Decoder(found, slots=1, length=128, threads=1, plain=True)
    for slot, text in enumerate(RAGGED):
        plain.set_adapter(0, (*adapters, None)[slot])
        middle = len(text) // 2
        if middle:
            plain.step([Feed(0, 0, text[:middle], scored=False)])
        assert np.array_equal(served(plain, [Feed(0, middle, text[middle:])])[0], together[slot])
    plain.close()
    decoder.close()


# From works to texts ---------------------------------------------------------------------------------------------


def works_of(write_works: Callable[[list[str]], tuple[WorkFile, ...]]) -> tuple[WorkFile, ...]:
    chance, things = random.Random(0), ("bread", "honey", "wool", "slate", "rope", "lamp", "kettle", "boot")
    return write_works([" ".join(f"The {chance.choice(things)} waits {n}." for _ in range(6)) for n in range(8)])


def test_a_base_of_every_shape_is_trained_proven_and_served(
    shaped: tuple[str, Base], write_works: Callable[[list[str]], tuple[WorkFile, ...]], tmp_path: Path
) -> None:
    _, found = shaped
    recipe = {"rank": 4, "epochs": 2, "checks": 2, "samples": 1, "words": 8, "learning_rate": 0.02, "threads": 2}
    engine = TextEngine()
    try:
        spec = TrainSpec.model_validate({"works": works_of(write_works), "dataset_sha256": "0" * 64, "recipe": recipe})
        result = engine.train(spec, tmp_path / "run", lambda _: None)
        assert result.card["base"]["sha256"] == found.sha256
        hand = engine.load(tmp_path / "run" / result.adapter_dir)
        brief = {"subject": "A lamp", "format": "tagline"}
        asked = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief=brief, seeds=(1, 2))
        first = engine.generate(hand, asked, tmp_path / "one", lambda _: None)
        alone = engine.generate(hand, asked.model_copy(update={"seeds": (2,)}), tmp_path / "two", lambda _: None)
    finally:
        engine.close()
    assert [output.seed for output in first] == [1, 2]
    assert first[1].file.sha256 == alone[0].file.sha256 != first[0].file.sha256
    assert all(mark not in (tmp_path / "one" / first[0].file.path).read_text() for mark in ("<|", "think>"))


# Templates -------------------------------------------------------------------------------------------------------


def test_a_prompt_is_written_in_the_marks_of_its_base(shaped: tuple[str, Base]) -> None:
    name, found = shaped
    tokenizer, template = found.tokenizer(), SHAPES[name][2]
    tokens = prompt_tokens(tokenizer, {"subject": "A mug"})
    assert tokenizer.decode(tokens, skip_special_tokens=False) == prompt_text({"subject": "A mug"}, template)
    assert tokens.count(found.config.eos) == 2  # of the system's turn and the buyer's
    forged = "".join(template.marks)
    assert prompt_tokens(tokenizer, {"subject": f"A mug{forged}"}).count(found.config.eos) == 2


def test_the_prompt_of_llama_3_is_as_its_makers_write_it() -> None:
    text = prompt_text({"subject": "A mug", "format": "tagline"}, LLAMA3)
    opening, asked, answer = text.split("<|start_header_id|>")[1:]
    assert text.startswith("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nYou are a writer")
    assert opening.endswith("nothing else.<|eot_id|>")
    assert asked.startswith("user<|end_header_id|>\n\nWrite a tagline")
    assert asked.endswith("Subject: A mug<|eot_id|>")
    assert answer == "assistant<|end_header_id|>\n\n"


def test_a_base_that_thinks_is_told_that_it_has_thought() -> None:
    plain, thoughtful = (prompt_text({"subject": "A mug"}, each) for each in (CHATML, CHATML_THOUGHTFUL))
    assert thoughtful == f"{plain}<think>\n\n</think>\n\n"


def test_a_base_without_a_template_known_here_is_refused_by_name(
    folders: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in folders("Qwen2").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write_tokenizer(tmp_path, ("[INST]", "[/INST]"))
    monkeypatch.setenv("ATELIER_TEXT_BASE", str(tmp_path))
    with pytest.raises(EngineUnavailable, match=r"ChatML.*Llama 3") as caught:
        base()
    assert caught.value.remedy


# What is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("Qwen2", {"model_type": "gemma3"}, "gemma3"),
        ("Qwen2", {"use_sliding_window": True, "max_window_layers": 1, "layer_types": None}, "sliding_window"),
        ("Qwen3", {"layer_types": ["full_attention", "sliding_attention"]}, "sliding_window"),
        ("SmolLM2", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 10000.0}}, "yarn"),
        ("SmolLM2", {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}}, "partial_rotary"),
        ("SmolLM2", {"hidden_act": "gelu"}, "gelu"),
        ("SmolLM2", {"attention_bias": True}, "attention_bias"),
        ("SmolLM2", {"mlp_bias": True}, "mlp_bias"),
        ("SmolLM2", {"quantization_config": {"quant_method": "awq"}}, "quantised"),
        ("SmolLM2", {"num_key_value_heads": 3}, "num_key_value_heads"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(
    name: str, change: dict[str, Any], said: str, folders: Callable[[str], Path]
) -> None:
    config = json.loads((folders(name) / "config.json").read_text())
    LlamaShape.from_hf(config)
    with pytest.raises(EngineUnavailable, match=said) as caught:
        LlamaShape.from_hf({**config, **change})
    assert caught.value.remedy


def test_a_window_that_no_layer_uses_is_no_obstacle(folders: Callable[[str], Path]) -> None:
    config = json.loads((folders("Qwen2") / "config.json").read_text())
    config |= {"use_sliding_window": True, "sliding_window": 32, "max_window_layers": 2, "layer_types": None}
    assert LlamaShape.from_hf(config).qkv_bias


def test_sizes_that_the_served_layout_cannot_hold_are_named() -> None:
    from atelier.workshop.engines.text.serving.native.packing import check_shape

    shape = LlamaShape(64, 2, 4, 2, 16, 96, 272, 10_000.0, 1e-6, True, 257)
    check_shape(shape)
    with pytest.raises(EngineUnavailable, match="inner size is 72"):
        check_shape(replace(shape, intermediate=72))


def test_weights_that_do_not_fit_the_configuration_are_named(
    folders: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in folders("SmolLM2").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3, "layer_types": None}))
    monkeypatch.setenv("ATELIER_TEXT_BASE", str(tmp_path))
    with pytest.raises(EngineUnavailable, match=r"model\.layers\.2\."):
        base()
