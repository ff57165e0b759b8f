"""By which words the parts of a version are found: what was learned, and what its creator says."""

from __future__ import annotations

import pytest
from django.urls import reverse

from atelier.market.core import blobs
from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.models import AuditEntry
from atelier.market.core.testing import client_of, make_creator, make_user
from atelier.market.generation import testing as made_with
from atelier.market.generation.lineage import ancestor_of
from atelier.market.generation.models import Generation
from atelier.market.studio import actions
from atelier.market.studio.models import CreationModel, Version, VersionPart
from atelier.market.studio.testing import make_model, make_version
from atelier.market.works.testing import make_sheets
from atelier.workshop.contract.fake.sketch.scene import from_svg

pytestmark = pytest.mark.django_db


@pytest.fixture
def part(version: Version) -> VersionPart:
    return version.parts.filter(group="Colours")[0]


def own(part: VersionPart) -> list[str] | None:
    return VersionPart.objects.values_list("own_tags", flat=True).get(pk=part.pk)


def test_a_part_shows_the_words_it_was_learned_with_and_asks_to_have_guesses_confirmed(part: VersionPart) -> None:
    assert part.work is not None
    assert part.tags == [part.work.title]
    creator = part.version.creation_model.creator.user
    client = client_of(creator)
    page = client.get(reverse("studio:version", args=[part.version_id])).content.decode()
    assert page.count("guessed from its work") == part.version.parts.filter(guessed=True).count()
    client.post(reverse("studio:tag_part", args=[part.pk]), {"tags": ", ".join(part.tags)})
    assert own(part) == part.tags
    after = client.get(reverse("studio:version", args=[part.version_id])).content.decode()
    assert after.count("guessed from its work") == page.count("guessed from its work") - 1
    assert after.count("your words") == 1


def test_a_creator_mends_tags_with_a_way_back(part: VersionPart) -> None:
    client = client_of(part.version.creation_model.creator.user)
    answer = client.post(reverse("studio:tag_part", args=[part.pk]), {"tags": " sea,  Meer , sea,, mar "}, follow=True)
    assert own(part) == ["sea", "Meer", "mar"]
    assert answer.redirect_chain[-1][0].endswith(f"#part-{part.pk}")
    page = answer.content.decode()
    assert "sea, Meer, mar" in page
    undo = reverse("studio:untag_part", args=[part.pk])
    assert page.count(f'action="{undo}"') == 2
    client.post(undo)
    assert own(part) is None
    told = AuditEntry.objects.filter(verb="studio.tag_part").order_by("pk").values_list("data", flat=True)
    assert [entry["tags"] for entry in told] == [["sea", "Meer", "mar"], None]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "needs a tag"),
        (" , ", "needs a tag"),
        ("x" * 61, "at most"),
        (",".join("abcdefghijklmnopqrstu"), "at most"),
    ],
)
def test_tags_that_cannot_be_taken_stay_in_their_field_with_the_reason(part: VersionPart, typed: str, why: str) -> None:
    actions.tag_part(
        actor=part.version.creation_model.creator.user, version_id=part.version_id, name=part.name, tags=["sea"]
    )
    client = client_of(part.version.creation_model.creator.user)
    answer = client.post(reverse("studio:tag_part", args=[part.pk]), {"tags": typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="tags-error-{part.pk}"' in page
    assert why in page
    assert f'value="{typed}"' in page
    assert own(part) == ["sea"]
    assert AuditEntry.objects.filter(verb="studio.tag_part").count() == 1


def test_twice_is_once(part: VersionPart) -> None:
    for _time in range(2):
        actions.tag_part(
            actor=part.version.creation_model.creator.user, version_id=part.version_id, name=part.name, tags=["sea"]
        )
    assert own(part) == ["sea"]
    assert AuditEntry.objects.filter(verb="studio.tag_part").count() == 1


@pytest.mark.parametrize("who", ["another creator", "a buyer"])
def test_nobody_else_names_parts(who: str, part: VersionPart) -> None:
    stranger = make_creator().user if who == "another creator" else make_user()
    with pytest.raises((Missing, Denied)):
        actions.tag_part(actor=stranger, version_id=part.version_id, name=part.name, tags=["sea"])
    client = client_of(stranger)
    for name in ("tag_part", "untag_part"):
        assert client.post(reverse(f"studio:{name}", args=[part.pk]), {"tags": "sea"}).status_code == 404
    wish = {"part": part.name, "tags": ["sea"]}
    answer = client.put(f"/api/versions/{part.version_id}/tags", wish, content_type="application/json")
    assert answer.status_code in {403, 404}
    assert own(part) is None
    assert not AuditEntry.objects.filter(verb="studio.tag_part").exists()


def test_what_words_do_not_find_what_is_unknown_and_what_is_erased_is_left_as_it_is(part: VersionPart) -> None:
    def tag(name: str) -> None:
        actions.tag_part(
            actor=part.version.creation_model.creator.user, version_id=part.version_id, name=name, tags=["sea"]
        )

    with pytest.raises(Conflict):
        tag("shape:circle")
    with pytest.raises(Missing):
        tag("shape:star")
    with pytest.raises(Invalid) as caught:
        actions.tag_part(
            actor=part.version.creation_model.creator.user, version_id=part.version_id, name=part.name, tags=[]
        )
    assert caught.value.field == "tags"
    Version.objects.filter(pk=part.version_id).update(state=Version.State.ERASED)
    with pytest.raises(Conflict):
        tag(part.name)
    assert not VersionPart.objects.exclude(own_tags=None).exists()
    assert not AuditEntry.objects.filter(verb="studio.tag_part").exists()


def test_own_tags_go_with_every_generation_and_are_written_down_with_it(
    model: CreationModel, part: VersionPart
) -> None:
    colour = part.name.removeprefix("colour:")

    def tag(tags: list[str] | None) -> None:
        actions.tag_part(actor=model.creator.user, version_id=part.version_id, name=part.name, tags=tags)

    tag(["submarine"])
    called = made_with.make_samples(model, samples=2, subject="a submarine")
    assert called.tags == {part.name: ["submarine"]}
    for output in called.outputs.all():
        assert from_svg(blobs.read(output.blob).decode()).colours == [colour]
    tag(None)
    assert made_with.make_samples(model, samples=2, subject="a submarine").tags == {}
    called = Generation.objects.get(pk=called.pk)
    anew = Generation(parent=called.outputs.all()[0], vary_way="words")
    ancestor = ancestor_of(anew)
    assert ancestor is not None
    assert ancestor.tags == {part.name: ("submarine",)}


def test_own_tags_hold_for_the_next_version_where_the_part_is_the_same() -> None:
    model = make_model(craft="sketch/sketches")
    sheets = make_sheets(model.creator, 8)
    first = make_version(model, sheets)
    colour = first.parts.filter(group="Colours")[0]
    actions.tag_part(actor=model.creator.user, version_id=first.pk, name=colour.name, tags=["sea"])
    second = make_version(model, sheets)
    assert second.parts.get(name=colour.name).own_tags == ["sea"]
    assert second.parts.exclude(own_tags=None).count() == 1
    actions.tag_part(actor=model.creator.user, version_id=second.pk, name=colour.name, tags=None)
    assert not make_version(model, sheets).parts.exclude(own_tags=None).exists()
    assert own(colour) == ["sea"]


def test_the_api_tells_tags_and_takes_them(model: CreationModel, part: VersionPart) -> None:
    client = client_of(model.creator.user)

    def put(tags: list[str] | None) -> dict[str, object]:
        wish = {"part": part.name, "tags": tags}
        answer = client.put(f"/api/versions/{part.version_id}/tags", wish, content_type="application/json")
        assert answer.status_code == 200
        return next(found for found in answer.json()["parts"] if found["name"] == part.name)

    told = put(["sea"])
    assert (told["tags"], told["guessed"]) == (["sea"], False)
    told = put(None)
    assert (told["tags"], told["guessed"]) == (part.tags, True)


def test_the_proof_says_when_it_was_measured_on_a_twin(model: CreationModel, version: Version) -> None:
    client, place = client_of(model.creator.user), reverse("studio:version", args=[version.pk])
    assert version.evaluation["twin"] is True
    assert "measured on a twin of this version" in client.get(place).content.decode()
    Version.objects.filter(pk=version.pk).update(evaluation={**version.evaluation, "twin": False})
    assert "measured on a twin" not in client.get(place).content.decode()
