"""Participants' pages in English, German and Spanish, and from right to left."""

import gettext
import re
import shutil
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests.studies import factories

ROOT = Path(settings.BASE_DIR)
LOCALE = Path(settings.LOCALE_PATHS[0])
LANGUAGES = ("de", "es")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def catalogue(language):
    return polib.pofile(str(LOCALE / language / "LC_MESSAGES" / "django.po"))


def translations(entry):
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated_with_its_placeholders(language):
    for entry in catalogue(language):
        assert not entry.fuzzy, entry.msgid
        for translated in translations(entry):
            assert translated.strip(), entry.msgid
            kept = sorted(PLACEHOLDER.findall(translated))
            assert kept == sorted(PLACEHOLDER.findall(entry.msgid)), entry.msgid


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_the_text(language):
    with (LOCALE / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for entry in catalogue(language):
        if entry.msgid_plural:
            assert compiled.ngettext(entry.msgid, entry.msgid_plural, 1) == entry.msgstr_plural[0]
            assert compiled.ngettext(entry.msgid, entry.msgid_plural, 2) == entry.msgstr_plural[1]
        else:
            assert compiled.gettext(entry.msgid) == entry.msgstr


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="needs gettext's xgettext")
def test_no_string_of_the_pages_is_missing_from_the_catalogues(tmp_path, monkeypatch, settings):
    for folder in ("studies", "templates"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    settings.LOCALE_PATHS = [tmp_path / "studies" / "locale"]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=list(LANGUAGES), verbosity=0, no_obsolete=True)
    for language in LANGUAGES:
        path = tmp_path / "studies" / "locale" / language / "LC_MESSAGES" / "django.po"
        found = {entry.msgid for entry in polib.pofile(str(path))}
        known = {entry.msgid for entry in catalogue(language)}
        assert found == known


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "direction", "words"),
    [
        ("en", "ltr", "Read about taking part"),
        ("de", "ltr", "Über die Teilnahme lesen"),
        ("es", "ltr", "Leer sobre la participación"),
        ("ar", "rtl", "Read about taking part"),
    ],
)
def test_pages_speak_the_language_of_their_study(client, language, direction, words):
    factories.study(workspace=factories.workspace(), slug="art", language=language)
    page = client.get(reverse("participant:landing", args=["art"])).content.decode()
    assert words in page
    assert f'<html lang="{language}" dir="{direction}">' in page


@pytest.mark.django_db
def test_errors_speak_the_language_of_the_study_that_they_happen_in():
    factories.study(workspace=factories.workspace(), slug="art", language="de")
    factories.study(workspace=factories.workspace(), slug="draft", language="de", state="draft")
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post(reverse("participant:consent", args=["art"]))
    assert refused.status_code == 403
    assert "Diese Seite konnte nicht gesendet werden" in refused.content.decode()
    for address, words in {
        "/s/art/nowhere/": "Unter dieser Adresse gibt es nichts",
        "/s/draft/": "There is nothing at this address",
        "/s/nowhere/": "There is nothing at this address",
        "/nowhere/": "There is nothing at this address",
    }.items():
        page = strict.get(address)
        assert page.status_code == 404
        assert words in page.content.decode(), address
