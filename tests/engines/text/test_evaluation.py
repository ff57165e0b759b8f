"""The proof answers its four questions from figures, says what is uncertain, and never flatters."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest

from atelier.workshop.contract import Guardrails, Measure, Progress, Refused, TrainSpec, WorkFile
from atelier.workshop.engines.text.copying import copying_answer, own_habit
from atelier.workshop.engines.text.evaluation import fidelity_answer, summary, summary_public, worth_answer
from atelier.workshop.engines.text.overlap import Collection, families
from atelier.workshop.engines.text.samples import opening
from atelier.workshop.engines.text.splits import Text
from atelier.workshop.engines.text.training import train
from atelier.workshop.engines.text.verdicts import VOICE_CLEAR
from atelier.workshop.engines.text.voice import NAMES, SURE, Voice
from atelier.workshop.guardrails import check_brief, find
from atelier.workshop.proof.safety import safety_answer
from atelier.workshop.proof.statistics import bootstrap, drop, exact, perplexity, share
from atelier.workshop.proof.wordings import WORDINGS
from atelier.workshop.runtime.limits import peak_memory

FOX = "A fox saw grapes high on a vine and leapt for them again and again until the evening came down cold"
CROW = "The crow dropped pebbles into the pitcher one by one and waited while the water rose to the brim"


def table(base: float, adapter: float, reference: float, works: int = 12, spread: float = 0.05) -> np.ndarray:
    """Works of 100 tokens each with so many nats a token, differing a little from work to work."""
    noise = np.random.default_rng(0).normal(0, spread, (works, 3))
    return np.hstack([np.full((works, 1), 100.0), 100 * (np.array([base, adapter, reference]) + noise)])


# Figures --------------------------------------------------------------------------------------------------------


def test_perplexity_and_its_fall_are_worked_out_over_all_tokens() -> None:
    works = np.array([[10, 20.0, 10.0], [30, 60.0, 30.0]])
    assert perplexity(1)(works) == pytest.approx(math.e**2)
    assert drop(1, 2)(works) == pytest.approx(1 - 1 / math.e)


def test_an_interval_holds_the_value_and_narrows_with_more_works() -> None:
    widths = []
    for works in (6, 60):
        measure = bootstrap(perplexity(1), table(3, 2, 2, works, spread=0.3), meaning="m")
        assert measure.low < measure.value < measure.high
        widths.append(measure.high - measure.low)
    assert widths[1] < widths[0] / 2


def test_the_interval_of_few_works_holds_the_truth_about_as_often_as_it_says() -> None:
    source = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        measure = bootstrap(lambda works: works[..., 0].mean(-1), source.normal(0, 1, (8, 1)), meaning="m")
        held += measure.low <= 0 <= measure.high
    assert held / 200 >= 0.92


def test_the_interval_of_a_share_is_wilsons() -> None:
    measure = share(8, 10, meaning="m")
    assert (measure.value, round(measure.low, 3), round(measure.high, 3)) == (0.8, 0.49, 0.943)
    assert (share(0, 10, meaning="m").low, share(10, 10, meaning="m").high) == (0, 1)


# Fidelity and worth ---------------------------------------------------------------------------------------------


def test_a_clear_fall_of_perplexity_alone_leans_the_creators_way() -> None:
    answer = fidelity_answer(table(3.3, 2.9, 3.1))
    assert (answer.verdict, answer.headline) == ("fair", "Leans your way")
    assert answer.headline_public == "Leans its creator's way"
    assert answer.measures["perplexity_base"].value > answer.measures["perplexity_adapter"].value
    assert answer.measures["perplexity_drop"].value == pytest.approx(0.33, abs=0.05)
    assert answer.measures["works_nearer"].value == 1


def test_a_version_no_better_than_the_base_is_poor_and_the_sentence_says_so() -> None:
    answer = fidelity_answer(table(3.0, 3.0, 3.0))
    assert answer.verdict == "poor"
    assert "No better than the base" in answer.sentence
    assert answer.headline == "No better than the base: do not publish"


def test_a_fall_that_any_finished_prose_brings_is_not_called_the_creators() -> None:
    answer = fidelity_answer(table(3.0, 2.95, 3.0, works=40, spread=0.01))
    assert (answer.verdict, answer.headline) == ("fair", "Nearer than the base, not surely yours")


def a_voice(ours: float, base: float, separation: float = 0.9) -> Voice:
    """What a judge says who is so sure of ten texts of the version and of the base."""
    shares = {
        name: share(round(10 * value), 10, meaning=name) for name, value in zip(NAMES, (ours, base, 0.9), strict=True)
    }
    sure = {name: exact(value, meaning=name) for name, value in zip(SURE, (ours, base, 0.9), strict=True)}
    return Voice({**shares, **sure, "separation": exact(separation, meaning="separation")})


CLEARLY, LEANS, NOT_SURELY = "Clearly in your voice", "Leans your way", "Nearer than the base, not surely yours"


@pytest.mark.parametrize(
    ("voice", "verdict", "headline", "asked"),
    [
        (a_voice(0.9, 0.1), "good", CLEARLY, True),
        (a_voice(0.4, 0.1), "fair", NOT_SURELY, True),
        (a_voice(0.9, 0.95), "fair", NOT_SURELY, True),
        (a_voice(0.4, 0.1, separation=0.5), "fair", LEANS, False),
    ],
)
def test_a_voice_is_clear_when_the_judge_of_style_tells_it_too(
    voice: Voice, verdict: str, headline: str, asked: bool
) -> None:
    answer = fidelity_answer(table(3.3, 2.9, 3.1), voice)
    assert (answer.verdict, answer.headline, voice.asked) == (verdict, headline, asked)
    assert ("told as the creator's" in answer.sentence) == asked
    assert answer.picture is not None
    assert (answer.picture.limit == 100 * VOICE_CLEAR) == asked
    assert fidelity_answer(table(3.0, 3.0, 3.0), voice).verdict == "poor"


def test_a_voice_that_is_likely_but_not_surely_the_creators_leans_their_way() -> None:
    unsure = a_voice(0.7, 0.1)
    measure = Measure(value=0.7, low=0.5, high=0.9, unit="", meaning="voice")
    answer = fidelity_answer(table(3.3, 2.9, 3.1), Voice({**unsure.measures, "voice": measure}))
    assert (answer.verdict, answer.headline) == ("fair", LEANS)
    little = fidelity_answer(table(3.0, 2.95, 3.0, works=40, spread=0.01), a_voice(0.9, 0.1))
    assert (little.verdict, little.headline) == ("fair", LEANS)


@pytest.mark.parametrize(("reference", "verdict"), [(3.2, "good"), (2.9, "fair"), (2.6, "poor")])
def test_worth_compares_with_the_base_that_is_shown_reference_works(reference: float, verdict: str) -> None:
    answer = worth_answer(table(3.3, 2.9, reference))
    assert answer.verdict == verdict
    assert answer.measures["perplexity_reference_prompt"].value == pytest.approx(math.exp(reference), rel=0.05)
    assert (answer.headline == "No better than prompting: do not publish") == (verdict == "poor")
    assert answer.picture is not None
    assert [bar.ours for bar in answer.picture.bars] == [False, True]


def test_the_summary_says_first_what_is_wrong_and_names_what_was_tried() -> None:
    fidelity, worth = fidelity_answer(table(3.3, 2.9, 3.1), a_voice(0.9, 0.1)), worth_answer(table(3.3, 2.9, 2.6))
    new = copying_answer(["Something new"], learned=[FOX], habit=[])
    copied = copying_answer([FOX], learned=[FOX], habit=[])
    assert summary(fidelity, worth, new, False, ()).startswith("No better than prompting: do not publish.")
    refused = summary(fidelity, worth, copied, False, ("the first version repeated 30 words in a row from a work",))
    assert refused.startswith("Copies: refused")
    assert "The first version repeated 30 words" in refused
    better = worth_answer(table(3.3, 2.9, 3.2))
    kept = summary(fidelity, better, new, True, ("the first version repeated 30 words in a row from a work",))
    assert kept.startswith("Clearly in your voice. Better than prompting. Does not copy.")
    assert kept.endswith(
        "The first version repeated 30 words in a row from a work, so this one was trained more gently."
    )


def test_buyers_are_told_what_it_is_in_words_that_speak_to_them() -> None:
    fidelity, worth = fidelity_answer(table(3.3, 2.9, 3.1), a_voice(0.9, 0.1)), worth_answer(table(3.3, 2.9, 2.6))
    better, new = worth_answer(table(3.3, 2.9, 3.2)), copying_answer(["Something new"], learned=[FOX], habit=[])
    told = summary_public(fidelity, better, new, True)
    assert told == "Clearly in its creator's voice. Better than prompting. Does not copy."
    refused = summary_public(fidelity, worth, new, False)
    assert refused == worth.sentence
    assert "do not publish" not in refused


# Copying --------------------------------------------------------------------------------------------------------


def test_overlap_counts_runs_within_one_work_whatever_case_and_punctuation() -> None:
    works = Collection([FOX, CROW])
    found = works.overlap("Once a FOX saw grapes: high, on a vine; and leapt. Then the crow dropped pebbles.")
    assert found.longest_run_words == 10
    assert found.shared_8gram_share == pytest.approx(3 / 9)
    assert works.overlap("Nothing here is known").longest_run_words == 0
    assert works.overlap("").shared_8gram_share == 0


def test_a_run_does_not_go_on_from_one_work_into_the_next() -> None:
    works = Collection(["one two three four five", "six seven eight nine ten"])
    assert works.overlap("one two three four five six seven eight nine ten").longest_run_words == 5
    assert works.overlap("one two three four five", but=frozenset({0})).longest_run_words == 0


def a_text(number: int, text: str) -> Text:
    return Text(WorkFile(id=str(number), path="/nowhere", sha256="0", title="t"), text)


def test_the_creators_own_habit_is_taken_across_all_works_but_not_from_near_copies() -> None:
    ending = "come and see us any day before the sun goes down"
    works = [
        a_text(0, FOX),
        a_text(1, f"{FOX} again"),
        a_text(2, f"{CROW} {ending}"),
        a_text(3, f"Bread at six {ending}"),
    ]
    habit = own_habit(works, {"0": 0, "1": 0, "2": 1, "3": 2})
    assert [found.longest_run_words for found in habit] == [0, 0, 11, 11]


def test_a_sample_that_repeats_a_training_work_is_called_a_copy() -> None:
    answer = copying_answer([FOX, "Something new about bread and how it is baked"], learned=[FOX, CROW], habit=[])
    assert (answer.verdict, answer.headline) == ("poor", "Copies: do not publish")
    assert answer.measures["longest_run_words"].value == len(FOX.split())
    grams = len(FOX.split()) - 7
    assert answer.measures["shared_8gram_share"].value == pytest.approx(grams / (grams + 2))
    assert answer.picture is not None
    assert (answer.picture.limit, answer.picture.bars[0].value) == (20, len(FOX.split()))


def test_what_the_creators_works_share_anyway_is_no_copy() -> None:
    ending = " ".join(f"word{i}" for i in range(25))
    works = [f"{FOX} {ending}", f"{CROW} {ending}"]
    habit = own_habit([a_text(i, work) for i, work in enumerate(works)], {"0": 0, "1": 1})
    new = f"Bread at six and tea at seven and nobody waits for long in our small shop by the river {ending}"
    assert copying_answer([new], learned=works, habit=habit).verdict != "poor"
    assert copying_answer([new], learned=works, habit=[]).verdict == "poor"


def test_samples_that_share_no_more_than_the_creators_own_works_are_good() -> None:
    answer = copying_answer(["Something new about bread"], learned=[FOX, CROW], habit=[])
    assert (answer.verdict, answer.headline) == ("good", "Does not copy")


def test_near_copies_make_one_family() -> None:
    assert families([FOX, CROW, FOX + " again", CROW[:60]]) == [[0, 2], [1, 3]]


# Safety ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["We sell GUNS", "g u n s", "a g.u.n!", "the gun's barrel", "gu\u200bn", "Gún", "an anti-gun march", "toy  g-u-n"],
)
def test_a_forbidden_word_is_found_in_any_dress(text: str) -> None:
    assert find(text, ["gun"]) == "gun"


@pytest.mark.parametrize("text", ["gunmetal grey", "begun", "Burgundy", "a g under a tree", ""])
def test_a_word_inside_another_is_not_that_word(text: str) -> None:
    assert find(text, ["gun"]) is None


def test_phrases_are_found_as_phrases() -> None:
    assert find("Our Diet Pills work", ["diet pill"]) == "diet pill"
    assert find("A diet of pills", ["diet pill"]) is None
    assert find("Casinos in t0wn", ["town", "casino"]) in ("town", "casino")


def test_a_short_phrase_among_many_is_found_by_the_name_it_was_given() -> None:
    phrases = [*(f"word number {number}" for number in range(300)), "Tea", "ice cream"]
    assert find("A cup of t.e.a. for two", phrases) == "Tea"
    assert find("ICE-CREAMS, all day", phrases) == "ice cream"
    assert find("A cup of broth", [*phrases, "", "…"]) is None


def test_a_refused_brief_names_its_field() -> None:
    rules = Guardrails(subjects_refused=("tobacco",), words_never=("cheap",))
    check_brief({"subject": "A pipe", "format": "tagline"}, rules)
    for brief, field in (({"subject": "Tobacco"}, "subject"), ({"subject": "A", "details": "cheap!"}, "details")):
        with pytest.raises(Refused) as caught:
            check_brief(brief, rules)
        assert caught.value.where == field


def test_safety_without_guardrails_is_unknown_and_with_them_is_tried_in_twenty_ways() -> None:
    assert safety_answer(Guardrails(), ["text"], ["brief"]).verdict == "unknown"
    kept = safety_answer(Guardrails(subjects_refused=("tobacco",)), ["text"], ["A mug"])
    assert (kept.verdict, kept.headline, len(WORDINGS)) == ("good", "Keeps its guardrails", 20)
    assert "20 ways" in kept.sentence
    assert kept.measures["refused"].value == 1
    assert kept.measures["refused_harmless"].value == 0
    assert kept.picture is not None
    assert [bar.value for bar in kept.picture.bars] == [100, 0]


SUBJECTS = (
    "gun", "lottery", "diet pills", "slot machine", "political parties", "alcool", "la loterie", "jeux d'argent",
    "cheval", "crypto-monnaies", "cartouche", "bijoux", "école", "The Gap", "children", "travaux",
)  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("way", WORDINGS)
def test_a_subject_is_refused_in_every_wording_english_and_french(way: str, subject: str) -> None:
    with pytest.raises(Refused):
        check_brief(WORDINGS[way](subject), Guardrails(subjects_refused=(subject,)))


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("god", "It is sooo good"), ("gun", "He has begun, as they began"), ("notch", "A not* on it"),
        ("therapist", "the rapids"), ("vitamin d", "Du vin et des vitamines"), ("jeu", "jeudi"),
        ("cre", "une idée créée"),
        ("cat", "concatenate #Education"),
        ("bet", "the better a b or c"), ("pot", "port"), ("l'art", "un artisan"),
    ],
)  # fmt: skip
def test_taking_disguises_off_finds_nothing_in_plain_words(phrase: str, text: str) -> None:
    assert find(text, [phrase]) is None


def test_guardrails_that_forbid_the_creators_own_subjects_are_pointed_out() -> None:
    answer = safety_answer(Guardrails(subjects_refused=("mug",)), ["A mug for you"], ["A mug", "A plate"])
    assert answer.verdict != "good"
    assert answer.measures["refused_harmless"].value == 0.5
    assert answer.measures["withheld"].value == 1


# On real works --------------------------------------------------------------------------------------------------


def test_a_long_work_is_shown_by_its_opening() -> None:
    work = WorkFile(id="w", path="/nowhere", sha256="0", title="t")
    assert opening(Text(work, "one two three"), 2) == "one two …"
    assert opening(Text(work, "one two"), 2) == "one two"


SOME = 32
"""Of 146 fables, the shortest: with all of them the fall is a third, with these 0.31, and the test takes several times
as long. Of fewer than thirty the proof would train in rounds."""


def fables(shared_data: Path, folder: Path) -> tuple[WorkFile, ...]:
    source = shared_data / "aesop_for_children.json"
    if not source.is_file():
        pytest.skip("no fables beside the checkout")
    works = []
    shortest = sorted(json.loads(source.read_text(encoding="utf-8")), key=lambda fable: len(fable["fable"]))
    for number, fable in enumerate(shortest[:SOME]):
        path = folder / f"{number}.txt"
        path.write_text(fable["fable"], encoding="utf-8")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        works.append(WorkFile(id=str(number), path=str(path), sha256=sha256, title=fable["title"], tags=("fable",)))
    return tuple(works)


@pytest.mark.engine
@pytest.mark.slow
def test_training_on_the_fables_lowers_held_out_perplexity_by_a_quarter(shared_data: Path, tmp_path: Path) -> None:
    works = fables(shared_data, tmp_path)
    spec = TrainSpec(
        works=works,
        dataset_sha256=hashlib.sha256(b"".join(bytes.fromhex(w.sha256) for w in works)).hexdigest(),
        guardrails=Guardrails(subjects_refused=("tobacco",)),
    )
    news: list[Progress] = []
    result = train(spec, tmp_path / "workspace", news.append)
    proof = result.evaluation
    fidelity = proof.flat()["fidelity"]
    assert fidelity["perplexity_adapter"] <= 0.75 * fidelity["perplexity_base"]
    assert proof.fidelity.measures["perplexity_drop"].low > 0.15
    assert proof.worth.verdict == "good"
    assert proof.copying.verdict in ("good", "fair")
    assert proof.safety.verdict == "good"
    assert proof.publishable
    assert not set(proof.held_out) & set(proof.trained_on)
    assert len(proof.examples) == 3
    assert all(piece["adapter"] and piece["base"] and piece["held_out"] for piece in proof.examples)
    assert peak_memory() < 4_000_000_000
