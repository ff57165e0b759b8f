"""A server elsewhere writes: the same rules hold, and whatever it does, whoever waits is told soon and clearly."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from elsewhere import BREAK, END, LENGTH, PINGS, STALL, STOP, Elsewhere

from atelier.workshop.contract import (
    AdapterInvalid,
    Busy,
    Cancelled,
    EngineUnavailable,
    GenerateSpec,
    Guardrails,
    Output,
    OverTime,
    Preview,
    Progress,
    Refused,
)
from atelier.workshop.engines.text import TextEngine
from atelier.workshop.engines.text.base import Base
from atelier.workshop.engines.text.prompts import max_tokens, prompt_tokens
from atelier.workshop.engines.text.serving import remote as remote_module
from atelier.workshop.engines.text.serving.adapters import TextHand
from atelier.workshop.engines.text.serving.completions import TRIES, Server, Waits
from atelier.workshop.engines.text.serving.delivery import deliver
from atelier.workshop.engines.text.serving.native.decoder import Adapter
from atelier.workshop.engines.text.serving.remote import Remote, RemoteHand
from atelier.workshop.engines.text.serving.sampling import Sampling
from atelier.workshop.engines.text.serving.streamed import CUTS_MAX

NAME = "c" * 64
BRIEF = {"subject": "A mug", "format": "social post", "length": "short"}
ANSWER = ["The", " mug", " is", " blue.", " It", " holds", " a pint", " of tea.", STOP]
WORDS = "The mug is blue. It holds a pint of tea."


PATIENT = Waits(connect=5, first=5, between=5, again=0.01)


@dataclass
class Made:
    outputs: list[Output] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    news: list[Preview | Progress] = field(default_factory=list)

    def shown(self, sample: int = 0) -> str:
        return "".join(n.payload["append"] for n in self.news if isinstance(n, Preview) and n.sample == sample)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    server.adapters.add(NAME)
    server.answers = [ANSWER]
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def write(elsewhere: Elsewhere, tiny_base: Base, tmp_path: Path) -> Iterator[Callable[..., Made]]:
    """Has something written; `emit` may object."""
    opened = []
    folder = tmp_path / "adapter"
    folder.mkdir()

    def write(
        emit: Callable[[Any], None] = lambda _: None,
        waits: Waits = PATIENT,
        key: str = "",
        address: str = "",
        sampling: Sampling | None = None,
        **changes: Any,
    ) -> Made:
        server = Server(address or elsewhere.address, key, waits)
        opened.append(Remote(tiny_base, server))
        spec = GenerateSpec(**{"request_id": "r", "adapter_sha256": NAME, "brief": BRIEF, "seeds": (7,), **changes})
        made = Made()

        def note(item: Preview | Progress) -> None:
            made.news.append(item)
            emit(item)

        hand = RemoteHand(NAME, folder, server)
        made.outputs = deliver(opened[-1], tiny_base, hand, spec, tmp_path, note, sampling or Sampling())
        made.texts = [(tmp_path / output.file.path).read_text(encoding="utf-8") for output in made.outputs]
        return made

    yield write
    for each in opened:
        each.close()


# What is asked, and what comes --------------------------------------------------------------------------------------


def test_a_text_comes_in_pieces_and_is_asked_for_by_tokens_adapter_and_seed(
    write: Callable[..., Made], elsewhere: Elsewhere, tiny_base: Base
) -> None:
    elsewhere.key = "sesame"
    made = write(seeds=(7, 2**64 + 8), key="sesame", sampling=Sampling(temperature=0.5, top_p=0.9))
    assert made.texts == [WORDS, WORDS]
    assert [output.finish for output in made.outputs] == ["complete", "complete"]
    assert made.shown(0) == made.shown(1) == WORDS
    asked = sorted(elsewhere.asked(), key=lambda sent: int(sent["seed"]))
    assert [sent["seed"] for sent in asked] == [7, 8]
    tokenizer = tiny_base.tokenizer()
    for sent in asked:
        assert sent["prompt"] == prompt_tokens(tokenizer, BRIEF)
        assert sent["max_tokens"] == max_tokens(BRIEF)
        assert (sent["model"], sent["stream"]) == (NAME, True)
        assert (sent["temperature"], sent["top_p"], sent["stop"]) == (0.5, 0.9, ["<|im_end|>"])
    done = [item for item in made.news if isinstance(item, Progress)][-1]
    assert done.done == done.planned


@pytest.mark.parametrize("reveal", [0.0, 0.3, 0.6])
def test_no_more_is_shown_than_may_be(write: Callable[..., Made], reveal: float) -> None:
    made = write(reveal=reveal)
    assert made.texts == [WORDS]
    assert WORDS.startswith(made.shown())
    assert len(made.shown().split()) <= reveal * len(WORDS.split())
    assert made.outputs[0].reduced["text"] == made.shown()


def test_a_text_cut_by_its_length_ends_with_a_whole_sentence(write: Callable[..., Made], elsewhere: Elsewhere) -> None:
    elsewhere.answers = [["The mug is blue.", " It holds", " a pi", LENGTH]]
    made = write(reveal=0.1)
    assert (made.texts, made.outputs[0].finish) == (["The mug is blue."], "length")


def test_what_was_cut_away_is_written_on_with_another_seed_and_never_shown(
    write: Callable[..., Made], elsewhere: Elsewhere, tiny_base: Base
) -> None:
    elsewhere.answers = [
        ["The mug", " is a gun for", " tea", STALL],
        [" tank", " of the gu", "n.", STOP],
        [" cup", " of tea.", STOP],
    ]
    made = write(guardrails=Guardrails(words_never=("gun", "tank of")), sampling=Sampling(temperature=0))
    assert made.texts == ["The mug is a cup of tea."]
    assert made.shown() == made.texts[0]
    assert elsewhere.left.wait(10)
    first, second, third = elsewhere.asked()
    kept = tiny_base.tokenizer().encode("The mug is a", add_special_tokens=False).ids
    assert second["prompt"] == third["prompt"] == first["prompt"] + kept
    assert second["max_tokens"] == first["max_tokens"] - len(kept)
    assert len({sent["seed"] for sent in (first, second, third)}) == 3
    assert first["temperature"] == 0 < second["temperature"]


def test_a_server_that_says_only_what_must_not_be_said_ends_with_what_it_had_or_a_refusal(
    write: Callable[..., Made], elsewhere: Elsewhere
) -> None:
    forbidden = Guardrails(words_never=("gun",))
    elsewhere.answers = [["The gun.", STOP], [" gun", STOP]]
    assert write(guardrails=forbidden).texts == ["The"]
    assert len(elsewhere.asked()) == CUTS_MAX + 1
    elsewhere.answers = [["gun gun", STOP]]
    with pytest.raises(Refused) as caught:
        write(guardrails=forbidden)
    assert caught.value.where == "words_never"


def test_a_server_that_says_nothing_is_asked_again_and_then_given_up(
    write: Callable[..., Made], elsewhere: Elsewhere
) -> None:
    elsewhere.answers = [[STOP], [" …", STOP], ANSWER]
    assert write().texts == [WORDS]
    elsewhere.answers = [[STOP]]
    with pytest.raises(EngineUnavailable, match="no words"):
        write()


# Adapters -----------------------------------------------------------------------------------------------------------


def test_an_adapter_that_the_server_does_not_know_is_loaded_from_its_folder(
    write: Callable[..., Made], elsewhere: Elsewhere, tmp_path: Path
) -> None:
    elsewhere.adapters.clear()
    assert write(seeds=(1, 2, 3)).texts == [WORDS] * 3
    loads = elsewhere.asked("/v1/load_lora_adapter")
    assert loads[0] == {"lora_name": NAME, "lora_path": str(tmp_path / "adapter")}
    before = len(loads)
    assert write().texts == [WORDS]
    assert len(elsewhere.asked("/v1/load_lora_adapter")) == before


def test_an_adapter_that_somebody_else_loaded_meanwhile_is_used(
    write: Callable[..., Made], elsewhere: Elsewhere
) -> None:
    elsewhere.adapters.clear()
    elsewhere.load = (400, "The lora adapter has already been loaded.", True)
    assert write().texts == [WORDS]


@pytest.mark.parametrize(
    ("load", "error", "says"),
    [
        ((400, "rank 64 is greater than max_lora_rank", False), AdapterInvalid, "refused this adapter.*same path"),
        ((500, "it broke", False), AdapterInvalid, "refused this adapter"),
        ((404, "Not Found", False), EngineUnavailable, "loads none.*--enable-lora"),
        ((405, "Method Not Allowed", False), EngineUnavailable, "loads none.*--enable-lora"),
        ((429, "busy", False), Busy, "no room"),
        ((200, "Success", False), AdapterInvalid, "although it loaded it"),
    ],
)
def test_an_adapter_that_the_server_does_not_take_is_said_so(
    write: Callable[..., Made],
    elsewhere: Elsewhere,
    load: tuple[int, str, bool],
    error: type[Exception],
    says: str,
) -> None:
    elsewhere.adapters.clear()
    elsewhere.load = load
    with pytest.raises(error, match=says):
        write()
    assert len(elsewhere.asked("/v1/load_lora_adapter")) == 1


def test_an_erased_adapter_is_let_go_of_there_too(elsewhere: Elsewhere, tmp_path: Path) -> None:
    kept, erased = (RemoteHand(name, tmp_path / name, Server(elsewhere.address)) for name in ("kept", NAME))
    for hand in (kept, erased):
        hand.folder.mkdir()
    shutil.rmtree(erased.folder)
    for hand in (kept, erased, erased):
        hand.close()
    assert elsewhere.asked("/v1/unload_lora_adapter") == [{"lora_name": NAME}]
    assert elsewhere.adapters == set()


# What goes wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_busy(write: Callable[..., Made], elsewhere: Elsewhere, status: int) -> None:
    elsewhere.answers = [[status]]
    with pytest.raises(Busy):
        write()
    assert len(elsewhere.asked()) == 1


def test_more_texts_at_once_than_there_are_connections_for_are_turned_away(
    write: Callable[..., Made], elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_module, "TEXTS_MAX", 2)
    with pytest.raises(Busy):
        write(seeds=(1, 2, 3))
    assert elsewhere.calls == []
    assert write(seeds=(1, 2)).texts == [WORDS, WORDS]


@pytest.mark.parametrize("failure", [[500], [BREAK], [END], [{"error": {"message": "out of memory"}}]])
def test_a_server_that_breaks_before_the_first_word_is_asked_again(
    write: Callable[..., Made], elsewhere: Elsewhere, failure: list[Any]
) -> None:
    elsewhere.answers = [*[failure] * (TRIES - 1), ANSWER]
    assert write().texts == [WORDS]
    assert len(elsewhere.asked()) == TRIES
    elsewhere.answers = [failure]
    with pytest.raises(EngineUnavailable, match="ATELIER_TEXT_REMOTE"):
        write()
    assert len(elsewhere.asked()) == 2 * TRIES


@pytest.mark.parametrize("failure", [BREAK, END, {"error": {"message": "out of memory"}}, {"choices": 3}])
def test_a_server_that_breaks_off_in_a_text_is_not_asked_again(
    write: Callable[..., Made], elsewhere: Elsewhere, failure: Any, tmp_path: Path
) -> None:
    elsewhere.answers = [["The mug", " is", failure]]
    with pytest.raises(EngineUnavailable, match="broke off"):
        write()
    assert len(elsewhere.asked()) == 1
    assert not list(tmp_path.glob("*.txt"))


@pytest.mark.parametrize("words", [[], ["The mug", " is"]])
@pytest.mark.parametrize("failure", [STALL, PINGS])
def test_a_server_that_stalls_is_left(
    write: Callable[..., Made], elsewhere: Elsewhere, words: list[str], failure: str
) -> None:
    elsewhere.answers = [[*words, failure]]
    with pytest.raises(OverTime):
        write(waits=Waits(connect=5, first=0.3, between=0.3, again=0.01))
    assert elsewhere.left.wait(10)
    assert len(elsewhere.asked()) == 1


def test_a_server_that_is_not_there_or_does_not_take_the_key_is_said_so(
    write: Callable[..., Made], elsewhere: Elsewhere
) -> None:
    with pytest.raises(EngineUnavailable, match="cannot be reached"):
        write(address="http://127.0.0.1:1/v1")
    elsewhere.key = "sesame"
    with pytest.raises(EngineUnavailable, match="ATELIER_TEXT_REMOTE_KEY"):
        write(key="guess")
    elsewhere.key = ""
    elsewhere.answers = [[422]]
    with pytest.raises(EngineUnavailable, match="refused the request"):
        write()


@pytest.mark.parametrize("address", ["server:8000", "ftp://server/v1", "http://", "v1"])
def test_what_is_no_address_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(EngineUnavailable, match="http://host:8000/v1"):
        Server(address)


# Leaving ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["The mug", " is", " blue"]])
def test_whoever_leaves_ends_the_connections(
    write: Callable[..., Made], elsewhere: Elsewhere, words: list[str]
) -> None:
    elsewhere.answers = [[*words, STALL]]

    def leave(item: Preview | Progress) -> None:
        if elsewhere.calls and (not words or isinstance(item, Preview)):
            raise Cancelled

    with pytest.raises(Cancelled):
        write(emit=leave, waits=Waits(connect=60, first=60, between=60))
    assert elsewhere.left.wait(10)


def test_closing_ends_what_is_being_written(elsewhere: Elsewhere, tiny_base: Base, tmp_path: Path) -> None:
    elsewhere.answers = [["The mug", STALL]]
    at = Server(elsewhere.address)
    server, hand = Remote(tiny_base, at), RemoteHand(NAME, tmp_path, at)
    begun, ends = threading.Event(), list[BaseException]()

    def told(item: Preview | Progress) -> None:
        if isinstance(item, Progress) and item.done:
            begun.set()

    def ask() -> None:
        spec = GenerateSpec(request_id="r", adapter_sha256=NAME, brief=BRIEF, seeds=(1, 2))
        try:
            deliver(server, tiny_base, hand, spec, tmp_path, told, Sampling())
        except BaseException as error:
            ends.append(error)

    caller = threading.Thread(target=ask)
    caller.start()
    assert begun.wait(10)
    server.close()
    caller.join(10)
    assert elsewhere.left.wait(10)
    ask()
    assert [type(error) for error in ends] == [Cancelled, Busy]


def test_one_text_that_fails_ends_the_others_of_its_request(write: Callable[..., Made], elsewhere: Elsewhere) -> None:
    elsewhere.answers = lambda sent: ["The mug", BREAK] if sent["seed"] == 2 else ["The mug", STALL]
    with pytest.raises(EngineUnavailable, match="broke off"):
        write(seeds=(1, 2))
    assert elsewhere.left.wait(10)


# As a setting -------------------------------------------------------------------------------------------------------


def test_with_the_setting_the_engine_writes_elsewhere_and_holds_no_weights(
    elsewhere: Elsewhere,
    tiny_base: Base,
    random_adapter: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = random_adapter(1, rank=8)
    monkeypatch.setenv("ATELIER_TEXT_REMOTE", elsewhere.address)
    monkeypatch.setenv("ATELIER_TEXT_REMOTE_KEY", "sesame")
    elsewhere.key = "sesame"
    engine = TextEngine()
    engine.warm()
    hand = engine.load(folder)
    assert hand.bytes_held == 0
    spec = GenerateSpec(request_id="r", adapter_sha256=hand.adapter_sha256, brief=BRIEF, seeds=(1, 2))
    made = engine.generate(hand, spec, tmp_path, lambda _: None)
    assert [(tmp_path / output.file.path).read_text() for output in made] == [WORDS, WORDS]
    assert elsewhere.asked("/v1/load_lora_adapter")[0]["lora_path"] == str(folder)
    assert elsewhere.adapters >= {hand.adapter_sha256}
    hand.close()
    with pytest.raises(AdapterInvalid, match="closed"):
        engine.generate(hand, spec, tmp_path, lambda _: None)
    (folder / "adapter_config.json").unlink()
    with pytest.raises(AdapterInvalid):
        engine.load(folder)
    engine.close()


def test_an_adapter_is_served_only_where_it_was_loaded_for(
    elsewhere: Elsewhere,
    tiny_base: Base,
    random_adapter: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder, here, there = random_adapter(1, rank=8), TextEngine(), TextEngine()
    local = here.load(folder)
    here.warm()
    monkeypatch.setenv("ATELIER_TEXT_REMOTE", elsewhere.address)
    distant = there.load(folder)
    spec = GenerateSpec(request_id="r", adapter_sha256=local.adapter_sha256, brief=BRIEF, seeds=(1,))
    for engine, hand in ((here, distant), (there, local), (there, TextHand("a" * 64, Adapter((), 16)))):
        with pytest.raises(AdapterInvalid, match="Load it again"):
            engine.generate(hand, spec, tmp_path, lambda _: None)
        engine.close()
    assert elsewhere.calls == []
