import threading

import pytest
from django.db import connection, connections, transaction

from atelier.market.core.errors import Conflict, Invalid, Missing
from atelier.market.core.models import AuditEntry, Event
from atelier.market.core.testing import make_creator, make_user
from atelier.market.works import actions, queries
from atelier.market.works.actions.locking import own_works
from atelier.market.works.models import Consent, Resemblance, Share, Work
from atelier.market.works.testing import make_works

pytestmark = pytest.mark.django_db


def test_a_revoked_work_can_no_longer_be_trained_on_and_the_house_is_told() -> None:
    creator = make_creator()
    works = make_works(creator, 4)
    assert actions.revoke_consent(actor=creator.user, work_ids=[works[0].pk]) == 1
    assert set(queries.trainable_works(creator, "fake")) == set(works[1:])
    assert Consent.objects.get(work=works[0]).revoked_at is not None
    assert Event.objects.get(name="works.consent_revoked").data == {"work_id": works[0].pk}
    assert AuditEntry.objects.filter(verb="works.revoke_consent").count() == 1


def test_revoking_twice_tells_it_once_and_giving_again_is_a_new_row() -> None:
    creator = make_creator()
    (work,) = make_works(creator, 1)
    actions.revoke_consent(actor=creator.user, work_ids=[work.pk])
    assert actions.revoke_consent(actor=creator.user, work_ids=[work.pk]) == 0
    assert Event.objects.filter(name="works.consent_revoked").count() == 1
    assert actions.give_consent(actor=creator.user, work_ids=[work.pk]) == 1
    assert actions.give_consent(actor=creator.user, work_ids=[work.pk]) == 0
    assert Consent.objects.filter(work=work).count() == 2


def test_nobody_changes_the_works_of_another() -> None:
    works = make_works(make_creator(), 2)
    thief = make_creator().user
    before = AuditEntry.objects.count()
    for deed in (
        lambda: actions.revoke_consent(actor=thief, work_ids=[works[0].pk]),
        lambda: actions.give_consent(actor=thief, work_ids=[works[0].pk]),
        lambda: actions.edit_work(actor=thief, work_id=works[0].pk, title="Mine"),
        lambda: actions.remove_works(actor=thief, work_ids=[works[0].pk]),
        lambda: actions.give_share(actor=thief, work_id=works[0].pk, email=thief.email, basis_points=5000),
        lambda: actions.tag_works(actor=thief, work_ids=[works[0].pk], tag="x"),
        lambda: actions.keep_both(actor=thief, work_id=works[0].pk),
    ):
        with pytest.raises(Missing):
            deed()
    with pytest.raises(Missing):
        queries.work_for(thief, works[0].pk)
    works[0].refresh_from_db()
    assert (works[0].title, works[0].state, works[0].tags) == ("Piece 1", "ready", [])
    assert Consent.objects.filter(revoked_at=None).count() == 2
    assert AuditEntry.objects.count() == before
    assert not Share.objects.exists()


def test_an_operator_may_read_any_work_but_change_none() -> None:
    (work,) = make_works(make_creator(), 1)
    operator = make_creator().user
    operator.is_staff = True
    operator.save()
    assert queries.work_for(operator, work.pk) == work
    with pytest.raises(Missing):
        actions.edit_work(actor=operator, work_id=work.pk, title="Other")


def test_bulk_changes_are_all_or_none() -> None:
    creator = make_creator()
    works = make_works(creator, 3)
    foreign = make_works(make_creator(), 1, seed=9)
    with pytest.raises(Missing):
        actions.revoke_consent(actor=creator.user, work_ids=[*[w.pk for w in works], foreign[0].pk])
    assert not Consent.objects.exclude(revoked_at=None).exists()


def test_a_removed_work_leaves_the_list_and_can_be_restored() -> None:
    creator = make_creator()
    works = make_works(creator, 3)
    actions.remove_works(actor=creator.user, work_ids=[works[0].pk])
    assert works[0] not in queries.filtered(queries.works_of(creator))
    assert works[0] not in queries.trainable_works(creator, "fake")
    with pytest.raises(Conflict):
        actions.give_consent(actor=creator.user, work_ids=[works[0].pk])
    actions.restore_works(actor=creator.user, work_ids=[works[0].pk])
    assert works[0] in queries.trainable_works(creator, "fake")


def test_filters_narrow_the_list() -> None:
    creator = make_creator()
    works = make_works(creator, 4)
    actions.tag_works(actor=creator.user, work_ids=[works[1].pk, works[2].pk], tag="spring  sale")
    actions.revoke_consent(actor=creator.user, work_ids=[works[2].pk])
    rows = queries.works_of(creator)
    assert set(queries.filtered(rows, tag="spring sale")) == {works[1], works[2]}
    assert set(queries.filtered(rows, tag="spring sale", consent="yes")) == {works[1]}
    assert set(queries.filtered(rows, words="Piece 4")) == {works[3]}
    assert not queries.filtered(rows, state="held")


def test_shares_of_co_authors_never_exceed_the_whole() -> None:
    creator, first, second = make_creator(), make_user(), make_user()
    (work,) = make_works(creator, 1)
    actions.give_share(actor=creator.user, work_id=work.pk, email=first.email.upper(), basis_points=6000)
    with pytest.raises(Invalid) as caught:
        actions.give_share(actor=creator.user, work_id=work.pk, email=second.email, basis_points=4001)
    assert caught.value.field == "basis_points"
    actions.give_share(actor=creator.user, work_id=work.pk, email=first.email, basis_points=10_000)
    assert [(s.holder, s.basis_points) for s in work.shares.all()] == [(first, 10_000)]


@pytest.mark.parametrize(("email", "points"), [("nobody@example.org", 100), ("", 100)])
def test_a_share_goes_to_a_registered_person_only(email: str, points: int) -> None:
    creator = make_creator()
    (work,) = make_works(creator, 1)
    with pytest.raises(Invalid) as caught:
        actions.give_share(actor=creator.user, work_id=work.pk, email=email or creator.user.email, basis_points=points)
    assert caught.value.field == "email"
    assert not Share.objects.exists()


def test_words_about_a_work_are_checked() -> None:
    creator = make_creator()
    (work,) = make_works(creator, 1)
    edited = actions.edit_work(actor=creator.user, work_id=work.pk, title=" A  title ", tags=["a", "a ", ""])
    assert (edited.title, edited.tags) == ("A title", ["a"])
    for wrong in ({"title": " "}, {"title": "x" * 201}, {"tags": ["x" * 61]}, {"description": "x" * 1001}):
        with pytest.raises(Invalid):
            actions.edit_work(actor=creator.user, work_id=work.pk, **wrong)
    assert Work.objects.get(pk=work.pk).title == "A title"


@pytest.mark.django_db(transaction=True)
def test_works_held_for_a_change_can_still_be_noted_as_what_another_resembles() -> None:
    """Or whoever restores a work and whoever reads a copy of it would wait for each other in a circle."""
    creator = make_creator()
    original, copy = make_works(creator, 1)[0], make_works(make_creator(), 1)[0]

    def note() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                Resemblance.objects.create(work=copy, other=original, scheme="x", similarity=1, same_creator=False)
        finally:
            connections.close_all()

    with transaction.atomic():
        own_works(creator.user, [original.pk])
        thread = threading.Thread(target=note)
        thread.start()
        thread.join()
        assert Resemblance.objects.filter(other=original).exists()
