"""What holds for every question type, those to come among them."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import get_template
from hypothesis import given
from hypothesis import strategies as st

from studies.questions import QUESTION_TYPES, Answer, AnswerError
from tests.studies.questions.rendering import Form, rendered, selected_of
from tests.studies.questions.strategies import APPEAL, JSON_VALUES

LABEL_COLUMN = 300
every_type = pytest.mark.parametrize("kind", QUESTION_TYPES.values(), ids=QUESTION_TYPES)


def refused(error: type[Exception], function: Callable, *arguments: Any) -> str | None:
    """The words of the `error` that `function` raises, or None where it raises none."""
    try:
        function(*arguments)
    except error as raised:
        return str(raised)
    return None


def static_file(path: str) -> Path:
    return settings.BASE_DIR / "static" / path


@every_type
def test_it_has_a_template_its_files_and_a_test_that_names_every_option(kind):
    get_template(kind.template)
    for path in filter(None, (kind.script, kind.stylesheet)):
        assert static_file(path).is_file()
    test = Path(__file__).with_name(f"test_{kind.name}.py")
    unnamed = [name for name in kind.option_names if f'"{name}"' not in test.read_text()]
    assert not unnamed, f"{test.name} does not try {unnamed}"


def test_no_template_script_or_style_belongs_to_no_type():
    declared = {Path(each.template).name for each in QUESTION_TYPES.values()}
    found = {path.name for path in (settings.BASE_DIR / "templates/questions").iterdir()}
    assert found == declared
    declared = {path for each in QUESTION_TYPES.values() for path in (each.script, each.stylesheet)}
    found = {f"questions/{path.name}" for path in static_file("questions").iterdir()}
    assert found == declared - {None}


@every_type
def test_its_example_is_valid_and_plain_json(kind):
    kind.check_options(kind.example)
    assert json.loads(json.dumps(kind.example)) == kind.example
    assert set(kind.example) <= kind.option_names
    assert kind.number_means


@every_type
def test_an_option_that_it_does_not_know_is_named(kind):
    allowed = ", ".join(sorted(kind.option_names))
    with pytest.raises(ValueError, match=f"must be among {allowed}; got 'colour'"):
        kind.check_options({**kind.example, "colour": "red"})


@every_type
def test_an_option_without_a_value_is_refused_by_name(kind):
    for name in kind.option_names:
        with pytest.raises(ValueError, match=f"{name}.* must .*; got None"):
            kind.check_options({**kind.example, name: None})


@every_type
@given(data=st.data())
def test_options_are_described_or_refused_in_one_sentence(kind, data):
    options = data.draw(
        st.one_of(
            JSON_VALUES,
            st.dictionaries(st.sampled_from(sorted(kind.option_names)), JSON_VALUES).map(
                lambda changed: {**kind.example, **changed}
            ),
        )
    )
    refusal = refused(ValueError, kind.check_options, options)
    if refusal is None:
        assert rendered(kind.name, options)
    else:
        assert re.search(r"\bmust\b.*\bgot\b", refusal, re.DOTALL)


@every_type
@given(raw=JSON_VALUES)
def test_whatever_is_sent_becomes_an_answer_that_can_be_stored_or_is_refused_in_words(kind, raw):
    refusal = refused(AnswerError, kind.parse, raw, kind.example)
    if refusal is not None:
        assert re.fullmatch(r"(Choose|Write) .+\.", refusal)
        return
    answer = kind.parse(raw, kind.example)
    assert isinstance(answer, Answer)
    json.dumps([answer.value, answer.label], allow_nan=False, ensure_ascii=False).encode()
    assert len(answer.label) <= LABEL_COLUMN
    assert answer.number is None or math.isfinite(answer.number)


@every_type
@given(data=st.data())
def test_a_simulated_answer_comes_back_from_the_form_unchanged(kind, data):
    n = kind.n_images(kind.example)
    appeal = data.draw(st.lists(APPEAL, min_size=n, max_size=n))
    sent = kind.simulate("q", kind.example, appeal)
    answer = kind.parse(kind.gather(sent, "q"), kind.example)
    form = Form(rendered(kind.name, kind.example, selected=selected_of(sent, "q")))
    assert set(sent) <= form.names
    assert kind.parse(kind.gather(form.sent, "q"), kind.example) == answer


@every_type
def test_an_untouched_form_is_no_answer(kind):
    form = Form(rendered(kind.name, kind.example))
    assert kind.gather(form.sent, "q") in (None, "")
    assert kind.gather({}, "q") in (None, "")


@every_type
def test_fields_of_another_question_are_not_its_own(kind):
    sent = kind.simulate("q", kind.example, [0.3] * kind.n_images(kind.example))
    elsewhere = {name.replace("q", "quality", 1): value for name, value in sent.items()}
    assert kind.gather(elsewhere, "q") in (None, "")


@every_type
def test_the_form_says_its_kind_its_question_and_nothing_is_chosen_yet(kind):
    html = rendered(kind.name, kind.example, text="<b>Why?</b>")
    form = Form(html)
    (fieldset,) = [found for tag, found in form.elements if tag == "fieldset"]
    assert fieldset["data-kind"] == kind.name
    assert "question" in fieldset["class"].split()
    assert "<b>Why?</b>" in form.text
    assert "<b>" not in html
    assert "checked" not in {name for _, found in form.elements for name in found}
    assert "style" not in {name for _, found in form.elements for name in found}


@every_type
def test_an_error_is_shown_and_described(kind):
    form = Form(rendered(kind.name, kind.example, error="Choose & go on."))
    (fieldset,) = [found for tag, found in form.elements if tag == "fieldset"]
    (wrong,) = form.having(role="alert")
    assert fieldset["aria-describedby"] == wrong["id"] == "wrong-q"
    assert "Choose & go on." in form.text


@every_type
def test_two_of_its_kind_on_one_page_share_no_id(kind):
    pages = [rendered(kind.name, kind.example, key=key, error="No.") for key in ("one", "two")]
    ids = [found["id"] for page in pages for _, found in Form(page).elements if "id" in found]
    assert len(ids) == len(set(ids))
    for page in pages:
        elements = [found for _, found in Form(page).elements]
        for reference in ("aria-labelledby", "aria-describedby"):
            named = " ".join(found.get(reference, "") for found in elements).split()
            assert set(named) <= {found.get("id") for found in elements}


@every_type
def test_what_must_be_answered_is_required_and_nothing_else(kind):
    form = Form(rendered(kind.name, kind.example))
    controls = [found for tag, found in form.elements if "name" in found]
    assert all(("required" in found) == kind.is_required(kind.example) for found in controls)


@every_type
def test_number_keys_are_single_digits_and_press_one_thing_each(kind):
    form = Form(rendered(kind.name, kind.example))
    keys = [
        found["data-key"]
        for _, found in form.elements
        if found.get("data-key") and found.get("type") != "checkbox"
    ]
    assert len(keys) == len(set(keys))
    assert all(re.fullmatch("[0-9]", key) for key in keys)


@every_type
def test_every_choice_has_words(kind):
    choices = kind.choices(kind.example)
    assert all(choice.label.strip() for choice in choices)
    assert len({choice.value for choice in choices}) == len(choices)
