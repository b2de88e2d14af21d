"""Free text: what is kept of it, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.questions import Answer, AnswerError, question_type
from tests.studies.questions.rendering import Form, rendered

TEXT = question_type("text")
OPTIONAL = {"required": False}
EMPTY = Answer(value="", label="", number=None)
WRITTEN = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), min_size=1, max_size=400
).filter(lambda text: text.strip())


@given(st.lists(WRITTEN, min_size=1, max_size=3))
def test_what_was_written_comes_back_from_the_form_and_is_kept(paragraphs):
    text = "\n".join(paragraphs)
    options = {"max_length": 5000}
    form = Form(rendered("text", options, selected=text))
    assert form.sent == {"q": text}
    answer = TEXT.parse(TEXT.gather(form.sent, "q"), options)
    assert answer.value == text.strip()
    assert answer.number is None
    assert "\n" not in answer.label
    assert 0 < len(answer.label) <= 300


@given(st.lists(WRITTEN.map(str.strip), min_size=2, max_size=4), st.data())
def test_however_lines_end_they_are_kept_the_same_way(lines, data):
    ends = st.sampled_from(["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
    sent = lines[0] + "".join(data.draw(ends) + line for line in lines[1:])
    assert TEXT.parse(sent, {"max_length": 5000}).value == "\n".join(lines)


@given(st.text(st.sampled_from(" \t\r\n\u00a0\u3000\u200b\u2060\ufeff"), max_size=20))
def test_nothing_to_be_seen_is_empty(blank):
    assert TEXT.parse(blank, OPTIONAL) == EMPTY
    with pytest.raises(AnswerError, match="Write at least a word"):
        TEXT.parse(blank, {})


@given(WRITTEN, st.sampled_from("\x00\x01\x07\x08\x1b\x7f\x80\x9f\ud800\udfff"), WRITTEN)
def test_control_characters_are_refused(before, control, after):
    with pytest.raises(AnswerError, match="some of these cannot be seen"):
        TEXT.parse(before + control + after, {"max_length": 5000})


@given(st.integers(1, 60), st.integers(-1, 1))
def test_the_length_is_limited_where_the_option_says(most, beyond):
    text = "ä" * (most + beyond)
    if beyond > 0:
        with pytest.raises(AnswerError, match=f"at most {most} characters; these are {most + 1}"):
            TEXT.parse(text, {"max_length": most})
    elif text:
        assert TEXT.parse(text, {"max_length": most}).value == text


def test_what_the_field_takes_the_server_takes():
    # The field counts UTF-16 units with one for the end of a line, however it is sent.
    text = "a\r\n" * 4 + "bc"
    assert TEXT.parse(text, {"max_length": 10}).value == "a\na\na\na\nbc"
    assert TEXT.parse("🎨" * 5, {"max_length": 5}).value == "🎨" * 5


@pytest.mark.parametrize("raw", [5, ["words"], {"a": 1}, True])
def test_what_is_no_text_is_refused(raw):
    with pytest.raises(AnswerError, match="Write your answer in words"):
        TEXT.parse(raw, OPTIONAL)


def test_a_tab_is_kept_as_a_space_and_long_text_has_a_short_label():
    assert TEXT.parse("a\tb", {}).value == "a b"
    answer = TEXT.parse("word\n" * 100, {})
    assert len(answer.label) == 300
    assert answer.label.endswith("…")


def test_the_field_has_its_options():
    form = Form(rendered("text", {"max_length": 50, "lines": 7, "required": False}))
    (area,) = [found for tag, found in form.elements if tag == "textarea"]
    assert (area["maxlength"], area["rows"]) == ("50", "7")
    assert "required" not in area
    assert "placeholder" not in area
    assert "you may leave this empty" in form.text
    assert not TEXT.is_required(OPTIONAL)
    assert TEXT.is_required({})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_length": 0}, "max_length must be from 1 to 5000; got 0"),
        ({"max_length": 5001}, "max_length must be from 1 to 5000; got 5001"),
        ({"max_length": 10.0}, "max_length must be a whole number; got 10.0"),
        ({"lines": 13}, "lines must be from 1 to 12; got 13"),
        ({"required": "no"}, "required must be true or false; got 'no'"),
        ({"placeholder": "Write"}, "among lines, max_length, required; got 'placeholder'"),
    ],
)
def test_options_that_describe_no_field_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        TEXT.check_options(options)
