import threading

import pytest
from django.db import connections

from atelier.market.core.errors import Conflict, Denied, Invalid, Missing
from atelier.market.core.models import AuditEntry
from atelier.market.core.testing import make_creator, make_user
from atelier.market.works import actions, queries
from atelier.market.works.models import Resemblance, Upload, Work
from atelier.market.works.tasks import inspect_upload
from atelier.market.works.testing import make_works, send, some_texts

pytestmark = pytest.mark.django_db

TEXT = some_texts(1, seed=7)[0]
NEARLY = TEXT.replace("The", "A", 1)
OPERATOR_REASON = "Compared both; same author under two names."


def test_the_same_text_again_is_left_out_naming_the_earlier_work() -> None:
    creator = make_creator()
    first = send(creator, "first.txt", TEXT.encode())
    again = send(creator, "again.txt", TEXT.upper().encode())
    assert Work.objects.count() == 1
    assert again.report["works"] == []
    assert again.report["refusals"][0]["code"] == "duplicate"
    assert Work.objects.get(upload=first).title in again.report["refusals"][0]["message"]


def test_a_near_copy_of_ones_own_is_kept_but_trained_on_only_when_the_creator_says_so() -> None:
    creator = make_creator()
    send(creator, "first.txt", TEXT.encode())
    later = Work.objects.get(upload=send(creator, "later.txt", NEARLY.encode()))
    assert later.state == Work.State.READY
    assert later not in queries.trainable_works(creator, "fake")
    actions.keep_both(actor=creator.user, work_id=later.pk)
    assert later in queries.trainable_works(creator, "fake")


def test_a_near_copy_is_usable_once_the_other_is_removed() -> None:
    creator = make_creator()
    first = Work.objects.get(upload=send(creator, "first.txt", TEXT.encode()))
    later = Work.objects.get(upload=send(creator, "later.txt", NEARLY.encode()))
    actions.remove_works(actor=creator.user, work_ids=[first.pk])
    assert list(queries.trainable_works(creator, "fake")) == [later]


@pytest.mark.parametrize("text", [TEXT, NEARLY])
def test_a_copy_of_anothers_work_is_held_and_never_trained_on(text: str) -> None:
    original = Work.objects.get(upload=send(make_creator(), "mine.txt", TEXT.encode()))
    other = make_creator()
    copy = Work.objects.get(upload=send(other, "copy.txt", text.encode()))
    assert copy.state == Work.State.HELD
    assert original.state == Work.State.READY
    assert copy not in queries.trainable_works(other, "fake")
    resemblance = Resemblance.objects.get(work=copy)
    assert (resemblance.other, resemblance.same_creator) == (original, False)


def held_copy() -> tuple[Work, Resemblance]:
    send(make_creator(), "mine.txt", TEXT.encode())
    copy = Work.objects.get(upload=send(make_creator(), "copy.txt", TEXT.encode()))
    return copy, Resemblance.objects.get(work=copy)


def test_an_operator_clears_a_held_work() -> None:
    copy, resemblance = held_copy()
    operator = make_user(operator=True)
    actions.decide_resemblance(actor=operator, resemblance_id=resemblance.pk, uphold=False, reason=OPERATOR_REASON)
    copy.refresh_from_db()
    assert copy.state == Work.State.READY
    entry = AuditEntry.objects.get(verb="works.decide_resemblance")
    assert (entry.actor, entry.data["reason"]) == (operator, OPERATOR_REASON)


def test_an_upheld_copy_is_refused_and_cannot_come_in_again() -> None:
    copy, resemblance = held_copy()
    operator = make_user(operator=True)
    actions.decide_resemblance(actor=operator, resemblance_id=resemblance.pk, uphold=True, reason=OPERATOR_REASON)
    copy.refresh_from_db()
    assert copy.state == Work.State.REFUSED
    again = send(copy.creator, "again.txt", TEXT.encode())
    assert again.report["works"] == []
    with pytest.raises(Conflict):
        actions.decide_resemblance(actor=operator, resemblance_id=resemblance.pk, uphold=False, reason="changed mind")


def test_removing_and_restoring_a_held_work_leaves_it_held() -> None:
    copy, _ = held_copy()
    actions.remove_works(actor=copy.creator.user, work_ids=[copy.pk])
    actions.restore_works(actor=copy.creator.user, work_ids=[copy.pk])
    copy.refresh_from_db()
    assert copy.state == Work.State.HELD


def test_the_original_does_not_become_the_copy_by_leaving_and_coming_back() -> None:
    _, resemblance = held_copy()
    original = resemblance.other
    actions.remove_works(actor=original.creator.user, work_ids=[original.pk])
    actions.restore_works(actor=original.creator.user, work_ids=[original.pk])
    original.refresh_from_db()
    assert original.state == Work.State.READY


def test_a_removed_work_that_was_replaced_does_not_come_back_beside_its_copy() -> None:
    creator = make_creator()
    first = Work.objects.get(upload=send(creator, "first.txt", TEXT.encode()))
    actions.remove_works(actor=creator.user, work_ids=[first.pk])
    second = Work.objects.get(upload=send(creator, "second.txt", TEXT.encode()))
    with pytest.raises(Conflict):
        actions.restore_works(actor=creator.user, work_ids=[first.pk])
    first.refresh_from_db()
    assert (first.state, second.state) == ("removed", "ready")


def test_only_operators_decide_and_only_with_a_reason() -> None:
    copy, resemblance = held_copy()
    with pytest.raises(Denied):
        actions.decide_resemblance(
            actor=copy.creator.user, resemblance_id=resemblance.pk, uphold=False, reason=OPERATOR_REASON
        )
    with pytest.raises(Invalid):
        actions.decide_resemblance(
            actor=make_user(operator=True), resemblance_id=resemblance.pk, uphold=False, reason=" "
        )
    with pytest.raises(Missing):
        actions.decide_resemblance(
            actor=make_user(operator=True), resemblance_id=10**9, uphold=False, reason=OPERATOR_REASON
        )
    resemblance.refresh_from_db()
    copy.refresh_from_db()
    assert (resemblance.state, copy.state) == ("open", "held")


def test_different_works_are_not_taken_for_copies() -> None:
    make_works(make_creator(), 20, seed=1)
    make_works(make_creator(), 20, seed=2)
    assert not Resemblance.objects.exists()
    assert Work.objects.filter(state=Work.State.READY).count() == 40


@pytest.mark.django_db(transaction=True)
def test_of_two_copies_that_come_in_together_one_is_held() -> None:
    uploads = [send(make_creator(), "t.txt", TEXT.encode(), read=False) for _ in range(4)]
    gate = threading.Barrier(len(uploads))

    def read(upload: Upload) -> None:
        try:
            gate.wait()
            inspect_upload(upload_id=upload.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=read, args=[upload]) for upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Work.objects.values_list("state", flat=True)) == ["held", "held", "held", "ready"]
