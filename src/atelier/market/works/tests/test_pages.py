import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from atelier.market.accounts.models import Creator, User
from atelier.market.core.testing import make_creator, make_user
from atelier.market.works.models import Consent, Resemblance, Upload, Work
from atelier.market.works.tasks import inspect_upload
from atelier.market.works.testing import make_works, send, some_texts

pytestmark = pytest.mark.django_db


def signed_in(person: User | Creator) -> Client:
    client = Client()
    client.force_login(person.user if isinstance(person, Creator) else person)
    return client


def form(**changes: object) -> dict[str, object]:
    return {"batch": str(uuid.uuid4()), "engine": "fake", "attested": "on", **changes}


def test_files_and_a_pasted_text_are_sent_watched_and_listed() -> None:
    creator = make_creator()
    client = signed_in(creator)
    files = [SimpleUploadedFile(f"f{n}.txt", text.encode()) for n, text in enumerate(some_texts(2))]
    sent = client.post(reverse("works:add"), form(sent=files, pasted="A pasted text of words.", title="Mine"))
    assert sent.status_code == 302, sent.content.decode()
    page = client.get(sent["Location"])
    assert "0 of 3 files read" in page.content.decode()
    for upload in Upload.objects.all():
        inspect_upload(upload_id=upload.pk)
    assert "3 of 3 files read" in client.get(sent["Location"]).content.decode()
    listed = client.get(reverse("works:list")).content.decode()
    assert "Mine" in listed
    assert "not permitted" in listed
    assert not Consent.objects.exists()


def test_nothing_is_taken_without_the_statement_and_nothing_typed_is_lost() -> None:
    client = signed_in(make_creator())
    data = form(pasted="Some words.", title="My title")
    del data["attested"]
    answer = client.post(reverse("works:add"), data)
    assert answer.status_code == 422
    assert "Tick the statement" in answer.content.decode()
    assert "My title" in answer.content.decode()
    assert "Some words." in answer.content.decode()
    assert not Upload.objects.exists()


def test_the_ticks_are_never_set_beforehand() -> None:
    page = signed_in(make_creator()).get(reverse("works:add")).content.decode()
    assert "checked" not in page.split('name="attested"')[1].split(">")[0]
    assert "checked" not in page.split('name="consent"')[1].split(">")[0]


def test_a_kind_of_works_is_ticked_only_after_one_was_sent_and_what_each_takes_is_told() -> None:
    creator = make_creator()
    page = signed_in(creator).get(reverse("works:add")).content.decode()
    kinds = re.findall(r'<input type="radio" name="engine"[^>]*>', page)
    assert len(kinds) > 1
    assert not [kind for kind in kinds if "checked" in kind]
    assert "SVG" in page
    assert 'name="pasted"' in page
    unsaid = form(pasted="Some words.")
    del unsaid["engine"]
    answer = signed_in(creator).post(reverse("works:add"), unsaid)
    assert answer.status_code == 422
    assert "Some words." in answer.content.decode()
    assert not Upload.objects.exists()
    send(creator, "a.txt", b"Few words.")
    again = signed_in(creator).get(reverse("works:add")).content.decode()
    assert [kind for kind in re.findall(r'<input type="radio" name="engine"[^>]*>', again) if "checked" in kind]


def test_a_file_beyond_the_bound_is_refused_by_name_while_the_others_are_taken() -> None:
    client = signed_in(make_creator())
    files = [SimpleUploadedFile("small.txt", b"Few words."), SimpleUploadedFile("huge.txt", b"x" * 12_000_000)]
    sent = client.post(reverse("works:add"), form(sent=files))
    assert sent.status_code == 302
    states = dict(Upload.objects.values_list("filename", "state"))
    assert states == {"small.txt": "received", "huge.txt": "refused"}
    assert "larger than" in client.get(sent["Location"]).content.decode()


def test_too_many_files_are_refused_in_words(settings: object) -> None:
    settings.UPLOAD_FILES_A_REQUEST = 2  # type: ignore[attr-defined]
    client = signed_in(make_creator())
    files = [SimpleUploadedFile(f"{n}.txt", b"Few words.") for n in range(3)]
    sent = client.post(reverse("works:add"), form(sent=files))
    assert sent.status_code == 302
    assert sorted(Upload.objects.values_list("state", flat=True)) == ["received", "received", "refused"]


def test_what_is_too_much_together_is_refused_by_name_and_the_rest_is_taken(settings: object) -> None:
    settings.UPLOAD_BYTES_A_REQUEST = 100  # type: ignore[attr-defined]
    client = signed_in(make_creator())
    files = [SimpleUploadedFile(f"{n}.txt", b"Some words of sixty letters. " * 2) for n in range(3)]
    sent = client.post(reverse("works:add"), form(sent=files))
    assert sent.status_code == 302
    assert dict(Upload.objects.values_list("filename", "state")) == {
        "0.txt": "received",
        "1.txt": "refused",
        "2.txt": "refused",
    }


def test_a_stranger_reads_no_work_no_file_and_no_upload() -> None:
    (work,) = make_works(make_creator(), 1)
    stranger = signed_in(make_creator())
    for name, pk in (("works:work", work.pk), ("works:file", work.pk), ("works:batch", work.upload.batch)):
        assert stranger.get(reverse(name, args=[pk])).status_code == 404
    assert Client().get(reverse("works:work", args=[work.pk])).status_code == 302


def test_a_person_who_is_no_creator_is_told_how_to_become_one() -> None:
    answer = signed_in(make_user()).get(reverse("works:list"))
    assert answer.status_code == 403
    assert "Become a creator first" in answer.content.decode()


def test_ticked_works_are_permitted_revoked_tagged_removed_and_brought_back() -> None:
    creator = make_creator()
    works = make_works(creator, 3, consent=False)
    client = signed_in(creator)
    ids = [work.pk for work in works[:2]]
    url = reverse("works:bulk")
    client.post(url, {"verb": "consent", "works": ids})
    assert Consent.objects.filter(revoked_at=None).count() == 2
    client.post(url, {"verb": "revoke", "works": ids[:1]})
    assert Consent.objects.filter(revoked_at=None).count() == 1
    client.post(url, {"verb": "tag", "works": ids, "tag_name": "spring"})
    assert Work.objects.filter(tags=["spring"]).count() == 2
    page = client.post(url, {"verb": "remove", "works": ids}, follow=True).content.decode()
    assert Work.objects.filter(state="removed").count() == 2
    assert "Undo" in page
    client.post(reverse("works:undo", args=[",".join(map(str, ids))]))
    assert not Work.objects.filter(state="removed").exists()


def test_enter_in_the_tag_field_never_permits_training() -> None:
    creator = make_creator()
    make_works(creator, 1, consent=False)
    page = signed_in(creator).get(reverse("works:list")).content.decode()
    # Browsers press the first button of a form.
    assert page.split('action="/works/bulk/"')[1].split('name="verb" value="')[1].startswith("tag")


def test_a_near_copy_is_no_longer_called_one_when_the_other_is_gone() -> None:
    creator, text = make_creator(), some_texts(1, seed=4)[0]
    first = send(creator, "a.txt", text.encode()).works.get()
    near = send(creator, "b.txt", text.replace("The", "A", 1).encode()).works.get()
    client, url = signed_in(creator), reverse("works:work", args=[near.pk])
    assert "nearly the same" in client.get(url).content.decode()
    client.post(reverse("works:bulk"), {"verb": "remove", "works": [first.pk]})
    assert "nearly the same" not in client.get(url).content.decode()


def test_a_form_sent_twice_with_other_files_loses_neither_files_nor_words() -> None:
    client, once = signed_in(make_creator()), str(uuid.uuid4())
    client.post(reverse("works:add"), form(batch=once, pasted="The first text."))
    again = client.post(reverse("works:add"), form(batch=once, pasted="The second text."))
    page = again.content.decode()
    assert again.status_code == 422
    assert "The second text." in page
    assert once not in page
    fresh = page.split('name="batch" value="')[1].split('"')[0]
    assert client.post(reverse("works:add"), form(batch=fresh, pasted="The second text.")).status_code == 302
    assert Upload.objects.count() == 2


def test_files_that_a_refused_form_lost_are_asked_for_again() -> None:
    files = [SimpleUploadedFile("a.txt", b"Few words.")]
    page = signed_in(make_creator()).post(reverse("works:add"), form(sent=files, title="x" * 201))
    assert page.status_code == 422
    assert "Choose the files again" in page.content.decode()
    assert not Upload.objects.exists()


def test_a_bulk_change_of_nothing_says_what_to_do() -> None:
    page = signed_in(make_creator()).post(reverse("works:bulk"), {"verb": "consent"}, follow=True).content.decode()
    assert "Tick at least one work" in page


def test_the_way_back_never_leads_off_the_site() -> None:
    creator = make_creator()
    (work,) = make_works(creator, 1)
    for wrong in ("https://example.org/", "//example.org/", "/\\example.org"):
        data = {"verb": "consent", "works": [work.pk], "next": wrong}
        assert signed_in(creator).post(reverse("works:bulk"), data)["Location"] == reverse("works:list")


def test_a_work_shows_its_text_edits_and_shares() -> None:
    creator, partner = make_creator(), make_user("Pat Partner")
    (work,) = make_works(creator, 1, texts=["A fine line <b>of words</b> about a kettle."])
    client, url = signed_in(creator), reverse("works:work", args=[work.pk])
    assert "A fine line &lt;b&gt;of words" in client.get(url).content.decode()
    client.post(url, {"title": "Kettle", "description": "For a shop", "tags": "tea, shop"})
    work.refresh_from_db()
    assert (work.title, work.description, work.tags) == ("Kettle", "For a shop", ["tea", "shop"])
    share = reverse("works:share", args=[work.pk])
    assert client.post(share, {"email": partner.email, "percent": "33.33"}).status_code == 302
    assert work.shares.get().basis_points == 3333
    assert client.post(share, {"email": "nobody@example.org", "percent": "5"}).status_code == 422
    assert "Pat Partner" in client.get(url).content.decode()


def test_a_file_is_downloaded_and_never_shown_in_the_browser() -> None:
    creator = make_creator()
    (work,) = make_works(creator, 1, texts=["<script>alert(1)</script> words"])
    answer = signed_in(creator).get(reverse("works:file", args=[work.pk]))
    assert b"<script>" in b"".join(answer.streaming_content)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_an_operator_compares_and_decides_and_nobody_else_may_look() -> None:
    text = some_texts(1, seed=3)[0]
    send(make_creator(), "a.txt", text.encode())
    copy = send(make_creator(), "b.txt", text.encode()).works.get()
    resemblance = Resemblance.objects.get()
    queue, one = reverse("works:resemblances"), reverse("works:resemblance", args=[resemblance.pk])
    assert signed_in(copy.creator).get(queue).status_code == 403
    assert signed_in(copy.creator).post(one, {"verdict": "clear", "reason": "mine"}).status_code == 403
    client = signed_in(make_user(operator=True))
    assert copy.title in client.get(queue).content.decode()
    assert text[:40] in client.get(one).content.decode()
    assert client.post(one, {"verdict": "uphold", "reason": ""}).status_code == 422
    assert client.post(one, {"reason": "No button was pressed."}).status_code == 422
    resemblance.refresh_from_db()
    assert resemblance.state == "open"
    client.post(one, {"verdict": "uphold", "reason": "Word for word."})
    copy.refresh_from_db()
    assert copy.state == "refused"
    page = signed_in(copy.creator).get(reverse("works:work", args=[copy.pk])).content.decode()
    assert "Word for word." in page


def test_the_list_asks_the_database_as_often_for_many_works_as_for_few(
    django_assert_max_num_queries: object,
) -> None:
    creator = make_creator()
    make_works(creator, 40)
    client = signed_in(creator)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        client.get(reverse("works:list"))
