"""Another language is a folder of translations away: all phrases are found, and a translation is used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

import atelier

SOURCE = Path(atelier.__file__).parent
TOOLS = ("xgettext", "msgmerge", "msguniq", "msgattrib", "msgfmt")


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Path:
    """What makemessages writes for French, from a copy of the source."""
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        pytest.skip(f"GNU gettext is not installed ({missing[0]} is missing)")
    copy = tmp_path / "atelier"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__", "tests", "static", "migrations"))
    settings.LOCALE_PATHS = [copy / "locale"]
    monkeypatch.chdir(copy)
    call_command("makemessages", locale=["fr"], verbosity=0)
    return copy / "locale" / "fr" / "LC_MESSAGES" / "django.po"


@pytest.mark.django_db
def test_phrases_of_code_and_templates_are_found_and_their_translations_used(
    catalogue: Path, client: Client, settings: Any
) -> None:
    found = catalogue.read_text("utf-8")
    for phrase in ("Someone has this handle already.", "Verify a file", "Drop files here, or choose them:", "Discover"):
        assert f'msgid "{phrase}"' in found, phrase
    assert found.count("\nmsgid ") > 500
    for phrase, french in (("Discover", "Découvrir"), ("Verify a file", "Vérifier")):
        found = found.replace(f'msgid "{phrase}"\nmsgstr ""', f'msgid "{phrase}"\nmsgstr "{french}"')
    catalogue.write_text(found, "utf-8")
    call_command("compilemessages", locale=["fr"], verbosity=0)
    settings.LANGUAGES = [("en", "English"), ("fr", "Français")]
    french = client.get("/verify/", headers={"Accept-Language": "fr, en;q=0.5"}).content.decode()
    assert '<html lang="fr"' in french
    assert "<h1>Vérifier</h1>" in french
    assert "Découvrir" in french
    english = client.get("/verify/", headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="en"' in english
    assert "<h1>Verify a file</h1>" in english
