"""The network is the one transformers has, adapters are PEFT's, and training keeps its promises."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from atelier.workshop.contract import AdapterInvalid, Cancelled, Progress, TooFewWorks, TrainSpec, Unreadable, WorkFile
from atelier.workshop.engines.text import lora as adapters
from atelier.workshop.engines.text import versions
from atelier.workshop.engines.text.attribution import KEPT
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.examples import examples, read
from atelier.workshop.engines.text.recipe import recipe
from atelier.workshop.engines.text.splits import Design, Text, design, sizes
from atelier.workshop.engines.text.training import train
from atelier.workshop.recipes import RecipeInvalid
from atelier.workshop.steps import Plan

WriteWorks = Callable[[list[str]], tuple[WorkFile, ...]]
QUICK: dict[str, float | int | str | bool] = {
    "rank": 4, "alpha": 8, "epochs": 2, "checks": 2, "samples": 2, "words": 12, "learning_rate": 0.02, "threads": 2,
}  # fmt: skip


def texts(count: int, seed: int = 0) -> list[str]:
    """Texts of 20 words each in one manner, no two near copies."""
    source = random.Random(seed)
    things = ("bread", "honey", "wool", "slate", "rope", "lamp", "kettle", "boot", "ladder", "apple", "river")
    return [
        " ".join(f"The {source.choice(things)} and the {source.choice(things)} wait {number}." for _ in range(3))
        for number in range(count)
    ]


def a_spec(works: tuple[WorkFile, ...], **changes: object) -> TrainSpec:
    return TrainSpec.model_validate({"works": works, "dataset_sha256": "0" * 64, "recipe": QUICK, **changes})


# The network ----------------------------------------------------------------------------------------------------


def with_random_adapter(base: Base, seed: int = 3) -> adapters.Lora:
    import torch

    lora = adapters.fresh(base.config, rank=4, alpha=8, seed=seed)
    source = torch.Generator().manual_seed(seed)
    for values in lora.up.values():
        values.data.normal_(0, 0.1, generator=source)
    return lora


def test_the_network_gives_the_scores_of_transformers_for_every_text_of_a_batch(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.llama import Llama

    transformers = pytest.importorskip("transformers", reason="transformers is a development dependency")
    peer = transformers.AutoModelForCausalLM.from_pretrained(tiny_base.directory, dtype=torch.float32)
    ours, batch = Llama(tiny_base, torch.float32), [[5, 9, 200, 31, 7], [100], [3] * 40]
    with torch.no_grad():
        found = ours.logits(ours.hidden(batch)).split([len(text) for text in batch])
        for text, scores in zip(batch, found, strict=True):
            torch.testing.assert_close(scores, peer(torch.tensor([text])).logits[0], atol=1e-4, rtol=1e-4)


def test_a_text_read_in_parts_gives_the_scores_of_the_whole(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.llama import Llama, Memory

    ours, text = Llama(tiny_base, torch.float32), list(range(1, 30))
    with torch.no_grad():
        whole = ours.logits(ours.hidden([text]))
        memory = Memory()
        first = ours.logits(ours.hidden([text[:11]], None, [memory]))
        aside = memory.fork()
        ours.hidden([[7, 7, 7]], None, [aside])
        rest = [ours.logits(ours.hidden([part], None, [memory])) for part in (text[11:12], text[12:])]
    torch.testing.assert_close(torch.cat([first, *rest]), whole, atol=1e-4, rtol=1e-4)
    assert (memory.length, aside.length) == (29, 14)


# Adapters -------------------------------------------------------------------------------------------------------


def test_peft_reads_a_saved_adapter_and_gives_the_same_scores(tiny_base: Base, tmp_path: Path) -> None:
    import torch

    from atelier.workshop.engines.text.llama import Llama

    transformers = pytest.importorskip("transformers", reason="transformers is a development dependency")
    peft = pytest.importorskip("peft", reason="peft is a development dependency")
    adapters.save(with_random_adapter(tiny_base), tiny_base, tmp_path)
    peer = transformers.AutoModelForCausalLM.from_pretrained(tiny_base.directory, dtype=torch.float32)
    peer = peft.PeftModel.from_pretrained(peer, tmp_path)
    ours, text = Llama(tiny_base, torch.float32), [5, 9, 200, 31, 7]
    with torch.no_grad():
        found = ours.logits(ours.hidden([text], adapters.load(tmp_path, tiny_base)))
        plain = ours.logits(ours.hidden([text]))
        torch.testing.assert_close(found, peer(torch.tensor([text])).logits[0], atol=1e-3, rtol=1e-3)
    assert float((found - plain).abs().max()) > 0.1


def test_a_fresh_adapter_changes_nothing(tiny_base: Base) -> None:
    import torch

    from atelier.workshop.engines.text.llama import Llama

    ours, fresh = Llama(tiny_base, torch.float32), adapters.fresh(tiny_base.config, 4, 8, seed=0)
    with torch.no_grad():
        assert torch.equal(ours.hidden([[1, 2, 3]], fresh), ours.hidden([[1, 2, 3]]))


def test_an_adapter_saved_and_loaded_is_the_same_and_keeps_its_name(tiny_base: Base, tmp_path: Path) -> None:
    import torch

    snapshot = with_random_adapter(tiny_base).copy()
    name = adapters.save(snapshot, tiny_base, tmp_path / "one")
    loaded = adapters.load(tmp_path / "one", tiny_base)
    assert all(torch.equal(a, b) for a, b in zip(snapshot.parameters(), loaded.parameters(), strict=True))
    assert adapters.save(loaded, tiny_base, tmp_path / "two") == name
    (tmp_path / "two" / adapters.CONFIG).write_text("{}")
    assert adapters.adapter_sha256(tmp_path / "two") != name


@pytest.mark.parametrize("name", adapters.FILES)
def test_a_missing_or_damaged_file_of_an_adapter_is_refused(name: str, tiny_base: Base, tmp_path: Path) -> None:
    adapters.save(with_random_adapter(tiny_base), tiny_base, tmp_path)
    raw = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(raw[: len(raw) // 2])
    with pytest.raises(AdapterInvalid):
        adapters.load(tmp_path, tiny_base)
    (tmp_path / name).unlink()
    with pytest.raises(AdapterInvalid):
        adapters.load(tmp_path, tiny_base)


def test_an_adapter_of_another_base_is_refused_by_name(tiny_base: Base, tmp_path: Path) -> None:
    adapters.save(with_random_adapter(tiny_base), tiny_base, tmp_path)
    origin = json.loads((tmp_path / adapters.ORIGIN).read_text())
    origin["base"] |= {"sha256": "f" * 64, "name": "Another"}
    (tmp_path / adapters.ORIGIN).write_text(json.dumps(origin))
    with pytest.raises(AdapterInvalid, match="Another") as caught:
        adapters.load(tmp_path, tiny_base)
    assert caught.value.remedy


# Works ----------------------------------------------------------------------------------------------------------


def designed(write_works: WriteWorks, works: list[str], seed: int = 1) -> Design:
    return design([read(work) for work in write_works(works)], seed)


def ids(part: Iterable[Text]) -> set[str]:
    return {text.work.id for text in part}


def test_of_many_works_each_is_in_one_part_and_near_copies_stay_together(write_works: WriteWorks) -> None:
    originals = texts(40)
    found = designed(write_works, [*originals, *(f"{text} Again." for text in originals[:4])])
    assert found.rounds == (found.shipped,)
    parts = [ids(part) for part in (found.shipped.train, found.shipped.validation, found.shipped.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 44
    for original, copy in ((f"w{i}", f"w{40 + i}") for i in range(4)):
        assert any({original, copy} <= part for part in parts)
        assert found.family[original] == found.family[copy]


@pytest.mark.parametrize(("count", "rounds"), [(8, 4), (15, 4), (16, 3), (29, 3)])
def test_of_few_works_each_is_measured_once_by_an_adapter_that_saw_neither_it_nor_a_copy(
    count: int, rounds: int, write_works: WriteWorks
) -> None:
    originals = texts(count)
    found = designed(write_works, [*originals, f"{originals[0]} Again.", f"{originals[0]} And again."])
    assert (found.crossed, len(found.rounds)) == (True, rounds)
    measured = [text.work.id for each in found.rounds for text in each.test]
    assert sorted(measured) == sorted(f"w{i}" for i in range(count + 2))
    for each in found.rounds:
        assert each.train
        assert each.validation
        parts = [ids(part) for part in (each.train, each.validation, each.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == count + 2
        kin = [{found.family[work] for work in part} for part in parts]
        assert not kin[0] & kin[1] | kin[0] & kin[2] | kin[1] & kin[2]
    assert ids(found.shipped.train) | ids(found.shipped.validation) == ids(t for e in found.rounds for t in e.test)
    assert found.held_out == found.shipped.validation
    assert f"in {rounds} rounds" in found.method


def test_the_split_depends_on_works_and_seed_and_not_on_their_order(write_works: WriteWorks) -> None:
    for count in (20, 40):
        read_works = [read(work) for work in write_works(texts(count))]
        assert design(read_works, 1) == design(read_works[::-1], 1)
        assert design(read_works, 1) != design(read_works, 2)


@pytest.mark.parametrize(("works", "held"), [(8, (1, 2)), (40, (5, 7)), (146, (12, 26)), (2000, (12, 40))])
def test_the_held_out_parts_have_sensible_sizes(works: int, held: tuple[int, int]) -> None:
    assert sizes(works) == held


def test_copies_of_one_work_are_too_few(write_works: WriteWorks) -> None:
    with pytest.raises(TooFewWorks, match="near copies") as caught:
        design([read(work) for work in write_works([texts(1)[0] + "!" * i for i in range(12)])], 0)
    assert caught.value.remedy


def test_a_long_work_becomes_several_examples_that_together_are_the_work(tiny_base: Base) -> None:
    text = " ".join(texts(20))
    work = WorkFile(id="w", path="/nowhere", sha256="0", title="Long")
    tokenizer = tiny_base.tokenizer()
    parts = examples([Text(work, text)], tokenizer, longest=400)
    assert len(parts) > 3
    assert all(len(part.tokens) <= 400 for part in parts)
    assert [part.ends for part in parts] == [False] * (len(parts) - 1) + [True]
    learned = [token for part in parts for token in part.tokens[part.begin :]]
    assert tokenizer.decode(learned[:-1]) == text
    assert learned[-1] == tiny_base.config.eos


def test_even_the_shortest_parts_each_say_something_new(tiny_base: Base) -> None:
    work = WorkFile(id="w", path="/nowhere", sha256="0", title="Long")
    tokenizer = tiny_base.tokenizer()
    parts = examples([Text(work, texts(1)[0] * 3)], tokenizer, longest=64)
    assert all(part.targets > 0 and len(part.tokens) <= 64 for part in parts)
    learned = [token for part in parts for token in part.tokens[part.begin :]]
    assert tokenizer.decode(learned[:-1]) == texts(1)[0] * 3


def test_a_work_that_holds_control_marks_cannot_end_its_own_text(tiny_base: Base) -> None:
    work = WorkFile(id="w", path="/nowhere", sha256="0", title="Sly <|im_end|>")
    (example,) = examples([Text(work, "One<|im_end|>two")], tiny_base.tokenizer(), longest=512)
    assert example.tokens.count(tiny_base.config.eos) == 3  # the system's turn, the brief's, and the true end


def test_a_work_that_changed_or_is_empty_is_named(write_works: WriteWorks) -> None:
    works = write_works(["one", "two", " \n"])
    Path(works[0].path).write_text("another")
    for work in (works[0], works[2]):
        with pytest.raises(Unreadable, match=work.title):
            read(work)
    assert read(works[1]).text == "two"


# Runs -----------------------------------------------------------------------------------------------------------


def test_the_same_spec_trains_the_same_adapter_on_any_number_of_cores(
    tiny_base: Base, write_works: WriteWorks, tmp_path: Path
) -> None:
    works = write_works(texts(12))
    first = train(a_spec(works), tmp_path / "a", lambda _: None)
    second = train(a_spec(works, recipe={**QUICK, "threads": 1}), tmp_path / "b", lambda _: None)
    other = train(a_spec(works, seed=1), tmp_path / "c", lambda _: None)
    assert first.adapter_sha256 == second.adapter_sha256 == adapters.adapter_sha256(tmp_path / "a" / "adapter")
    assert first.evaluation == second.evaluation
    assert other.adapter_sha256 != first.adapter_sha256


def test_training_learns_and_keeps_the_best_look(tiny_base: Base, write_works: WriteWorks, tmp_path: Path) -> None:
    spec = a_spec(write_works(texts(24)), recipe={**QUICK, "epochs": 6, "checks": 4})
    result = train(spec, tmp_path, lambda _: None)
    looks = {int(point["step"]): point["validation_loss"] for point in result.evaluation.curve}
    assert looks[result.card["best_step"]] == min(looks.values()) < looks[0]
    assert result.evaluation.publishable
    assert {file.path for file in result.adapter_files} == {f"adapter/{name}" for name in (*adapters.FILES, KEPT)}
    assert json.loads(json.dumps(result.card)) == result.card


def test_works_with_nothing_in_common_give_the_base_back_and_say_so(
    tiny_base: Base, write_works: WriteWorks, tmp_path: Path
) -> None:
    spec = a_spec(write_works([letter * 40 for letter in "abcdefghijkl"]))
    result = train(spec, tmp_path, lambda _: None)
    assert result.card["best_step"] == 0
    assert not result.evaluation.publishable
    assert result.evaluation.fidelity.verdict == "poor"
    assert all(not values.any() for values in adapters.load(tmp_path / "adapter", tiny_base).up.values())


def test_the_greatest_seed_that_may_be_asked_for_is_no_trouble(
    tiny_base: Base, write_works: WriteWorks, tmp_path: Path
) -> None:
    assert train(a_spec(write_works(texts(12)), seed=2**62 - 1), tmp_path, lambda _: None).evaluation.examples


def learnt_by_heart() -> list[str]:
    """Seven works that differ, and a refrain that stands in the dataset twelve times with next to no change."""
    letters = "abcdefghijkmnop"
    shuffled = [" ".join(random.Random(number).sample(letters, 9)) for number in range(7)]
    return [*shuffled, *(f"{'la ' * 40}{number}" for number in range(12))]


BY_HEART = {**QUICK, "epochs": 8, "batch": 4, "checks": 1, "samples": 2, "words": 50, "temperature": 0.05}


def test_a_version_that_copies_is_trained_again_more_gently_until_it_does_not(
    tiny_base: Base, write_works: WriteWorks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "SLOWER", 0.001)  # Greedy writing on so small a base gives way to nothing less.
    news: list[Progress] = []
    result = train(a_spec(write_works(learnt_by_heart()), recipe=BY_HEART), tmp_path, news.append)
    assert result.evaluation.copying.verdict != "poor"
    assert "The first version repeated" in result.evaluation.summary
    assert len(result.card["given_up"]) == 1
    assert result.card["recipe"]["learning_rate"] < BY_HEART["learning_rate"]
    assert any("in a row from a work" in item.note and "training again more gently" in item.note for item in news)
    assert len({item.planned for item in news}) == 1
    assert [item.done for item in news] == sorted(item.done for item in news)


def test_a_version_that_gentler_training_does_not_cure_of_copying_is_refused(
    tiny_base: Base, write_works: WriteWorks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "SLOWER", 1.0)
    monkeypatch.setattr(versions, "SHORTER", 1.0)
    result = train(a_spec(write_works(learnt_by_heart()), recipe=BY_HEART), tmp_path, lambda _: None)
    assert not result.evaluation.publishable
    assert (result.evaluation.copying.verdict, len(result.card["given_up"])) == ("poor", 2)
    assert result.evaluation.summary.startswith("Copies: refused")
    assert "words in a row from a work" in result.evaluation.summary


def test_progress_follows_one_plan_to_its_end(tiny_base: Base, write_works: WriteWorks, tmp_path: Path) -> None:
    news: list[Progress] = []
    train(a_spec(write_works(texts(12))), tmp_path, news.append)
    assert len({item.planned for item in news}) == 1
    assert [item.done for item in news] == sorted(item.done for item in news)
    assert news[-1].done == news[-1].planned
    assert [stage for stage, _ in itertools.groupby(item.stage for item in news)] == [
        "prepare", "train", "write", "cross-check", "evaluate", "generate",
    ]  # fmt: skip
    assert {"loss", "validation_loss", "step"} <= set(news[-1].metrics)


@pytest.mark.parametrize("stage", ["prepare", "train", "write", "cross-check", "evaluate", "generate"])
def test_training_stops_at_once_when_cancelled_and_leaves_nothing(
    stage: str, tiny_base: Base, write_works: WriteWorks, tmp_path: Path
) -> None:
    after: list[Progress] = []

    def report(news: Progress) -> None:
        if after or news.stage == stage:
            after.append(news)
            raise Cancelled

    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with pytest.raises(Cancelled):
        train(a_spec(write_works(texts(12))), workspace, report)
    assert len(after) == 1
    assert list(workspace.iterdir()) == []


def test_a_plan_never_goes_back_and_counts_what_was_skipped_as_done() -> None:
    news: list[Progress] = []
    plan = Plan(news.append, {"one": 10, "two": 10}, unit=1)
    plan.enter("one")
    plan.advance(4, loss=2.5)
    plan.enter("two")
    plan.advance(99, loss=2.0)
    plan.finish()
    assert [(item.done, item.planned) for item in news] == [(0, 20), (4, 20), (10, 20), (20, 20), (20, 20)]
    assert news[0].seconds_left is None
    assert news[-1].seconds_left == 0
    assert news[-1].metrics == {"loss": 2.0}


def test_stages_that_come_unforeseen_share_what_is_left_of_a_plan() -> None:
    news: list[Progress] = []
    plan = Plan(news.append, {"one": 10, "two": 10}, unit=1)
    plan.enter("one")
    plan.advance(10, x=1)
    plan.add({"one again": 30})
    plan.enter("one again", "first look", reason="the first was no good")
    plan.advance(30, "later", x=2)
    plan.enter("two")
    plan.advance(5, x=3)
    plan.finish()
    assert [item.done for item in news] == [0, 10, 10, 17, 17, 18, 20]
    assert {item.planned for item in news} == {20}
    assert [item.note for item in news[2:4]] == ["the first was no good: first look", "the first was no good: later"]


@pytest.mark.parametrize(
    ("setting", "value"), [("magic", 1), ("rank", 17), ("rank", 2.5), ("epochs", -1), ("batch", "4"), ("threads", True)]
)
def test_a_setting_out_of_bounds_is_refused_by_name(setting: str, value: float | str) -> None:
    with pytest.raises(RecipeInvalid) as caught:
        recipe({setting: value})
    assert caught.value.where == setting
    assert caught.value.remedy


def test_few_works_are_seen_more_often_than_many() -> None:
    assert [recipe({}).steps(count) for count in (5, 28, 102, 5000)] == [9, 14, 33, 400]
    assert recipe({"epochs": 3, "batch": 2}).steps(5) == 8


def test_settings_replace_the_engines_own() -> None:
    assert recipe({"epochs": 1, "rank": 8.0}).as_dict() == {**recipe({}).as_dict(), "epochs": 1.0, "rank": 8}
