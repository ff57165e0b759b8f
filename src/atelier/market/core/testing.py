"""Factories for tests: people as they are after the pages were used."""

from __future__ import annotations

from itertools import count

from django.test import Client
from django.utils import timezone

from atelier.market.accounts.models import Creator, User

_numbers = count(1)


def make_user(name: str = "", *, operator: bool = False) -> User:
    """A person with a unique address and a usable account."""
    number = next(_numbers)
    return User.objects.create_user(
        f"person{number}@example.org", "correct horse battery", name=name or f"Person {number}", is_staff=operator
    )


def make_creator(name: str = "", *, vetted: bool = True) -> Creator:
    """A creator, vetted unless said otherwise."""
    user = make_user(name)
    return Creator.objects.create(
        user=user,
        handle=f"creator-{user.pk}",
        headline="Short texts for small makers",
        languages=["en"],
        vetted_at=timezone.now() if vetted else None,
    )


def client_of(person: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(person)
    return client
