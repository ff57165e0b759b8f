"""`atelier manage make_operator EMAIL`: lets a person run the market, or takes that right back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from atelier.market.accounts.models import User
from atelier.market.core import audit


class Command(BaseCommand):
    """The first operator cannot be made on a page: whoever may run commands on the server may do this."""

    help = "Let the person with this e-mail address run the market (they sign up on the pages first)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--revoke", action="store_true", help="take the right back")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.select_for_update().filter(email__iexact=options["email"]).first()
        if user is None:
            raise CommandError(f"Nobody has the address {options['email']}. Let them sign up first.")
        user.is_staff = user.is_superuser = not options["revoke"]
        user.save(update_fields=["is_staff", "is_superuser"])
        audit.record(None, "accounts.revoke_operator" if options["revoke"] else "accounts.make_operator", user)
        self.stdout.write(f"{user.email} {'no longer runs' if options['revoke'] else 'now runs'} the market.")
