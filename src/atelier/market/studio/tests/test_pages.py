import io
import re
import zipfile

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from atelier.market.accounts.models import Creator
from atelier.market.core.testing import make_creator, make_user
from atelier.market.studio import actions
from atelier.market.studio.models import CreationModel, TrainingRun, Version
from atelier.market.studio.tasks import train_version
from atelier.market.studio.testing import key, make_model, make_published_model, make_run, make_version
from atelier.market.works import actions as works_actions
from atelier.market.works.testing import make_works

pytestmark = pytest.mark.django_db
JSON = "application/json"
SETTINGS = {
    "name": "Second Helpings",
    "craft": "fake/copywriting",
    "palette": "#d9482b, #f4cf6b",
    "words_never": "synergy\nleverage",
    "samples_a_day": "5",
    "reveal_percent": "30",
    "floor_minor": "5.00",
    "personal_minor": "9.50",
    "commercial_minor": "29",
    "exclusive_minor": "149",
}


def signed_in(creator: Creator) -> Client:
    client = Client()
    client.force_login(creator.user)
    return client


def test_from_a_name_to_a_published_model_by_pages_alone() -> None:
    creator = make_creator()
    works, client = make_works(creator, 12), signed_in(creator)
    made = client.post(reverse("studio:create"), {**SETTINGS, "key": key()})
    model = CreationModel.objects.get()
    assert made["Location"] == reverse("studio:train", args=[model.pk])
    assert (model.personal_minor, model.words_never) == (950, ["synergy", "leverage"])
    page = client.get(made["Location"]).content.decode()
    assert page.count("checked") == len(works)
    twice = key()
    for _click in range(2):
        started = client.post(made["Location"], {"works": [work.pk for work in works], "key": twice})
    run = TrainingRun.objects.get()
    assert started["Location"] == reverse("studio:run", args=[run.pk])
    assert "It starts in a moment" in client.get(started["Location"]).content.decode()
    train_version(run_id=run.pk)
    version = Version.objects.get()
    assert version.evaluation["summary"] in client.get(started["Location"]).content.decode()
    proof = client.get(reverse("studio:version", args=[version.pk])).content.decode()
    for question in ("Is it nearer to you", "Does it beat the base", "Does it copy", "Does it keep your guardrails"):
        assert question in proof
    assert "<svg" in proof
    client.post(reverse("studio:publish", args=[model.pk]), {"anyway": "yes"})
    model.refresh_from_db()
    assert model.state == "published"
    assert "published" in client.get(reverse("studio:model", args=[model.pk])).content.decode()
    assert "Second Helpings" in client.get(reverse("studio:list")).content.decode()


def test_prices_under_the_floor_are_named_and_nothing_typed_is_lost() -> None:
    client = signed_in(make_creator())
    answer = client.post(reverse("studio:create"), {**SETTINGS, "personal_minor": "4.99", "key": key()})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "under your floor of $5.00 USD" in page
    assert 'value="4.99"' in page
    assert not CreationModel.objects.exists()


def test_prices_are_told_in_the_currency_of_the_market(settings: LazySettings) -> None:
    settings.CURRENCY = "EUR"
    client = signed_in(make_creator())
    for personal, said in (("0.10", "between €0.50 EUR"), ("4.99", "under your floor of €5.00 EUR")):
        page = client.post(reverse("studio:create"), {**SETTINGS, "personal_minor": personal, "key": key()})
        assert said in page.content.decode()
    assert client.post(reverse("studio:create"), {**SETTINGS, "key": key()}).status_code == 302
    assert CreationModel.objects.get().currency == "EUR"


def test_the_proof_of_a_version_whose_card_names_no_base_is_shown() -> None:
    version = make_version()
    Version.objects.filter(pk=version.pk).update(card={"engine": "fake"})
    page = signed_in(version.creation_model.creator).get(reverse("studio:version", args=[version.pk]))
    assert page.status_code == 200
    assert "<dt>Base</dt><dd>–</dd>" in page.content.decode()


def test_lists_and_the_page_of_a_model_read_no_proofs_but_their_summaries() -> None:
    model = make_published_model()
    other = make_version(model)
    client = signed_in(model.creator)
    heavy = re.compile(r'"(?:evaluation|card|files)"(?! ->>)')
    for address in (reverse("studio:model", args=[model.pk]), reverse("studio:list"), "/"):
        with CaptureQueriesContext(connection) as asked:
            page = client.get(address).content.decode()
        assert [query["sql"][:200] for query in asked if heavy.search(query["sql"])] == []
        assert model.name in page
    shown = client.get(reverse("studio:model", args=[model.pk])).content.decode()
    assert other.evaluation["summary"][:100] in shown


def test_works_that_cannot_be_chosen_say_why() -> None:
    creator = make_creator()
    works = make_works(creator, 5)
    works_actions.revoke_consent(actor=creator.user, work_ids=[works[0].pk])
    model = make_model(creator)
    page = signed_in(creator).get(reverse("studio:train", args=[model.pk])).content.decode()
    assert "You have not consented to training on it" in page
    assert page.count("checked") == 4


def test_only_tagged_works_are_ticked_when_asked() -> None:
    creator = make_creator()
    works = make_works(creator, 5)
    works_actions.tag_works(actor=creator.user, work_ids=[works[0].pk], tag="fair & square")
    url = reverse("studio:train", args=[make_model(creator).pk])
    assert signed_in(creator).get(url, {"tag": "fair & square"}).content.decode().count("checked") == 1
    assert signed_in(creator).get(url, {"none": ""}).content.decode().count("checked") == 0


def test_a_choice_of_many_works_reaches_the_action() -> None:
    model = make_model()
    url = reverse("studio:train", args=[model.pk])
    page = signed_in(model.creator).post(url, {"works": list(range(1, 2001)), "key": key()})
    assert page.status_code == 404
    assert "not among yours" in page.content.decode()


def test_a_number_beyond_all_bounds_is_no_work() -> None:
    model = make_model()
    page = signed_in(model.creator).post(
        reverse("studio:train", args=[model.pk]), {"works": ["9" * 5000], "key": key()}
    )
    assert page.status_code == 422
    assert not TrainingRun.objects.exists()


def test_a_training_is_cancelled_and_tried_again_by_the_page() -> None:
    run = make_run(make_model())
    client = signed_in(run.creation_model.creator)
    page = client.post(reverse("studio:cancel", args=[run.pk]), follow=True).content.decode()
    assert "You cancelled it" in page
    client.post(reverse("studio:retry", args=[run.pk]), {"key": key()})
    assert TrainingRun.objects.order_by("pk").last().state == "queued"


def test_a_page_that_comes_back_finds_how_far_the_training_is() -> None:
    run = make_run(make_model())
    actions.claim_run(run.pk)
    TrainingRun.objects.filter(pk=run.pk).update(done=3, planned=12, stage="learning", seconds_left=80)
    page = signed_in(run.creation_model.creator).get(reverse("studio:run", args=[run.pk])).content.decode()
    assert "3 of 12 steps" in page
    assert "learning" in page
    assert "about 2 min left" in page


def test_strangers_see_nothing_of_a_studio_and_change_nothing() -> None:
    model = make_published_model()
    thief = signed_in(make_creator())
    version, run = model.version, model.version.run
    for name, pk in (("model", model.pk), ("edit", model.pk), ("train", model.pk), ("run", run.pk),
                     ("version", version.pk), ("export", version.pk)):  # fmt: skip
        assert thief.get(reverse(f"studio:{name}", args=[pk])).status_code == 404
    for name, pk in (("pause", model.pk), ("retire", model.pk), ("erase_version", version.pk), ("cancel", run.pk)):
        answer = thief.post(reverse(f"studio:{name}", args=[pk]), {"confirm_name": str(version)})
        assert answer.status_code == 404
    model.refresh_from_db()
    assert (model.state, model.version.state) == ("published", "ready")
    nobody = Client()
    nobody.force_login(make_user())
    assert nobody.get(reverse("studio:list")).status_code == 403


def test_the_export_streams_a_zip_and_an_erased_version_has_none() -> None:
    version = make_version()
    client = signed_in(version.creation_model.creator)
    url = reverse("studio:export", args=[version.pk])
    answer = client.get(url)
    assert 'filename="plain-words-v1.zip"' in answer["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as opened:
        assert set(opened.namelist()) == {"README.md", "card.json", "adapter.json", "works.json"}
    client.post(reverse("studio:erase_version", args=[version.pk]), {"confirm_name": "wrong"})
    version.refresh_from_db()
    assert version.state == "ready"
    client.post(reverse("studio:erase_version", args=[version.pk]), {"confirm_name": "Plain words v1"})
    assert client.get(url).status_code == 409
    assert "being removed" in client.get(reverse("studio:version", args=[version.pk])).content.decode()


def test_a_paused_version_says_why_and_what_to_do() -> None:
    model = make_published_model()
    item = model.version.run.dataset.items.first()
    works_actions.revoke_consent(actor=model.creator.user, work_ids=[item.work_id])
    actions.pause_versions_trained_on(item.work_id)
    client = signed_in(model.creator)
    for url in (reverse("studio:model", args=[model.pk]), reverse("studio:version", args=[model.version_id])):
        page = client.get(url).content.decode()
        assert "was revoked" in page
        assert "Train a new version without" in page


def test_the_cover_is_drawn_from_what_is_typed() -> None:
    page = signed_in(make_creator()).post(reverse("studio:cover"), {"name": "Quiet <Lines>", "palette": "#123456"})
    assert "<svg" in page.content.decode()
    assert "<Lines>" not in page.content.decode()


def test_the_api_walks_the_same_way() -> None:
    creator = make_creator()
    make_works(creator, 6)
    client = signed_in(creator)
    body = {"name": "By program", "craft": "fake/practice", "personal_minor": 1000}
    made = client.post("/api/models", body, content_type=JSON, headers={"Idempotency-Key": "make-one-model"})
    again = client.post("/api/models", body, content_type=JSON, headers={"Idempotency-Key": "make-one-model"})
    assert (made.status_code, made.json()) == (201, again.json())
    url = f"/api/models/{made.json()['id']}"
    assert client.patch(url, {"floor_minor": 5000}, content_type=JSON).status_code == 422
    run = client.post(f"{url}/runs", {}, content_type=JSON, headers={"Idempotency-Key": "train-it-once"}).json()
    assert client.post(f"{url}/runs", {}, content_type=JSON).status_code == 409
    train_version(run_id=run["id"])
    done = client.get(f"/api/runs/{run['id']}").json()
    assert done["state"] == "succeeded"
    version = client.get(f"/api/versions/{done['version']}").json()
    assert version["evaluation"]["fidelity"]["sentence"]
    assert client.post(f"{url}/publish", {"anyway": True}, content_type=JSON).json()["state"] == "published"
    assert client.post(f"{url}/pause").json()["state"] == "paused"
    assert client.get(f"/api/versions/{version['id']}/export")["Content-Type"] == "application/zip"
    erase = f"/api/versions/{version['id']}/erase"
    assert client.post(erase, {"confirm_name": "no"}, content_type=JSON).status_code == 422
    assert client.post(erase, {"confirm_name": "By program v1"}, content_type=JSON).json()["state"] == "erased"
    stranger = signed_in(make_creator())
    assert stranger.get(url).status_code == 404
    assert stranger.get(f"/api/runs/{run['id']}").status_code == 404
