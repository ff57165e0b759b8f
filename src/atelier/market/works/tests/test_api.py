import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from atelier.market.core.testing import make_creator, make_user
from atelier.market.works.models import Consent, Share, Upload, Work
from atelier.market.works.tasks import inspect_upload
from atelier.market.works.testing import make_works, send, some_texts

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def creator_client() -> tuple[object, Client]:
    creator, client = make_creator(), Client()
    client.force_login(creator.user)
    return creator, client


def test_files_are_sent_once_a_key_and_become_works(creator_client: tuple[object, Client]) -> None:
    _, client = creator_client
    for _again in range(2):
        files = [SimpleUploadedFile(f"f{n}.txt", text.encode()) for n, text in enumerate(some_texts(2))]
        answer = client.post(
            "/api/uploads",
            {"engine": "fake", "attested": "true", "consent": "true", "files": files},
            headers={"Idempotency-Key": "first-upload"},
        )
        assert answer.status_code == 202, answer.content
    assert Upload.objects.count() == 2
    for upload in Upload.objects.all():
        inspect_upload(upload_id=upload.pk)
    batch = client.get(f"/api/uploads/{answer.json()[0]['batch']}").json()
    assert [each["state"] for each in batch] == ["inspected", "inspected"]
    listed = client.get("/api/works").json()
    assert listed["count"] == 2
    assert all(item["permitted"] for item in listed["items"])


def test_a_text_is_pasted(creator_client: tuple[object, Client]) -> None:
    _, client = creator_client
    body = {"engine": "fake", "text": "Words to learn from.", "title": "One", "attested": True}
    answer = client.post("/api/uploads/paste", body, content_type=JSON)
    assert answer.status_code == 202
    inspect_upload(upload_id=answer.json()["id"])
    assert Work.objects.get().title == "One"
    assert not Consent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"engine": "fake", "text": "x", "attested": False},
        {"engine": "nowhere", "text": "x", "attested": True},
        {"engine": "fake", "text": "a\x00b", "attested": True},
        {"engine": "fake", "text": "half a pair \ud800", "attested": True},
        {"engine": "fake", "text": "", "attested": True},
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason(
    creator_client: tuple[object, Client], body: dict[str, object]
) -> None:
    _, client = creator_client
    answer = client.post("/api/uploads/paste", body, content_type=JSON)
    assert answer.status_code == 422
    assert answer.json()["message"]
    assert not Upload.objects.exists()


def test_files_refused_at_the_door_are_named_with_the_reason(creator_client: tuple[object, Client]) -> None:
    _, client = creator_client
    huge = SimpleUploadedFile("huge.txt", b"x" * 12_000_000)
    answer = client.post("/api/uploads", {"engine": "fake", "attested": "true", "files": [huge]})
    assert answer.status_code == 202, answer.content
    (upload,) = answer.json()
    assert (upload["filename"], upload["state"]) == ("huge.txt", "refused")
    assert "larger than" in upload["refusals"][0]["message"]
    nothing = client.post("/api/uploads", {"engine": "fake", "attested": "true"})
    assert (nothing.status_code, nothing.json()["field"]) == (422, "files")


def test_an_operator_decides_on_resemblances_and_nobody_else_may_see_them() -> None:
    text = some_texts(1, seed=11)[0]
    send(make_creator(), "a.txt", text.encode())
    copy = send(make_creator(), "b.txt", text.encode()).works.get()
    copier, operator = Client(), Client()
    copier.force_login(copy.creator.user)
    operator.force_login(make_user(operator=True))
    assert copier.get("/api/resemblances").status_code == 403
    (waiting,) = operator.get("/api/resemblances").json()["items"]
    assert (waiting["work"], waiting["state"]) == (copy.pk, "open")
    decide = f"/api/resemblances/{waiting['id']}/decision"
    verdict = {"uphold": False, "reason": "The same author."}
    assert copier.post(decide, verdict, content_type=JSON).status_code == 403
    copy.refresh_from_db()
    assert copy.state == "held"
    assert operator.post(decide, verdict, content_type=JSON).json()["state"] == "cleared"
    assert operator.post(decide, verdict, content_type=JSON).status_code == 409
    copy.refresh_from_db()
    assert copy.state == "ready"


def test_works_are_edited_removed_restored_permitted_and_shared(creator_client: tuple[object, Client]) -> None:
    creator, client = creator_client
    works = make_works(creator, 2)  # type: ignore[arg-type]
    url, partner = f"/api/works/{works[0].pk}", make_user()
    assert client.patch(url, {"title": "New"}, content_type=JSON).json()["title"] == "New"
    assert client.delete(url).json()["state"] == "removed"
    assert client.post(f"{url}/restore").json()["state"] == "ready"
    wish = {"works": [works[0].pk], "give": False}
    assert client.post("/api/works/consent", wish, content_type=JSON).json() == {"changed": 1}
    assert client.get(url).json()["permitted"] is False
    shared = client.put(f"{url}/shares", {"email": partner.email, "basis_points": 2500}, content_type=JSON).json()
    assert shared["shares"][0]["basis_points"] == 2500
    client.delete(f"{url}/shares/{shared['shares'][0]['id']}")
    assert not Share.objects.exists()
    assert client.get("/api/works?consent=yes").json()["count"] == 1


def test_strangers_and_unknown_numbers_get_the_same_answer(creator_client: tuple[object, Client]) -> None:
    _, client = creator_client
    (foreign,) = make_works(make_creator(), 1)
    for pk in (foreign.pk, 2**62):
        assert client.get(f"/api/works/{pk}").status_code == 404
        assert client.delete(f"/api/works/{pk}").status_code == 404
    assert Client().get(f"/api/works/{foreign.pk}").status_code == 401
    foreign.refresh_from_db()
    assert foreign.state == "ready"
