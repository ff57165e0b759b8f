"""Sentence vectors are those of the published model, and say what is near to what."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from atelier.workshop.contract import EngineUnavailable
from atelier.workshop.encoders import sentence

TEXTS = ["A red mug for the first coffee.", "", "Über Käse 🦊 und 日本", "one two three " * 200]


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence, "PACKAGE", "no_such_package_at_all")
    with pytest.raises(EngineUnavailable) as caught:
        sentence.sentence_vectors(["text"])
    assert "pip install" in caught.value.remedy


def test_the_module_loads_no_heavy_library() -> None:
    script = (
        "import sys; from atelier.workshop.encoders import sentence; sentence.sentence_vectors(['a'])\n"
        "print([n for n in ('torch', 'transformers', 'sentence_transformers') if n in sys.modules])"
    )
    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


def test_vectors_have_unit_length_and_do_not_depend_on_company() -> None:
    together = sentence.sentence_vectors(TEXTS)
    assert together == [sentence.sentence_vectors([text])[0] for text in TEXTS]
    assert all(len(vector) == sentence.DIMENSIONS for vector in together)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


def test_near_meanings_lie_near_each_other() -> None:
    cup, mug, law = np.array(
        sentence.sentence_vectors(
            ["A cup for your morning coffee", "A mug to drink espresso from", "The court rejected the appeal"]
        )
    )
    assert cup @ mug > 0.5 > 0.2 > cup @ law


@pytest.mark.engine
def test_hidden_states_equal_those_of_the_reference_implementation() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    encoder = sentence._encoder()
    reference = transformers.BertModel.from_pretrained(sentence.model_folder()).eval()
    for text in TEXTS:
        ids = encoder.tokenizer.encode(text).ids
        with torch.no_grad():
            expected = reference(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()
        assert len(ids) <= sentence.TOKENS_MAX
        assert np.abs(encoder.hidden_states(ids) - expected).max() < 1e-4
