"""Every question type in a real browser: by finger, by pointer, by keyboard, without a script."""

import pytest
from playwright.sync_api import expect

from studies.questions import QUESTION_TYPES, question_type
from tests.browser.axe import violations
from tests.browser.question_page import SITE, is_answered, reset, sent, show

SIZES = {"desktop": (1280, 800), "phone": (360, 740)}
SMALLEST_TARGET_PX = 44
WORDS = [
    "Not at all creative", "Slightly creative", "Somewhat creative", "Moderately creative",
    "Quite creative", "Very creative", "Extremely creative",
]  # fmt: skip
# The example of each type, and what changes its layout most.
SHOWN = {
    **{name: (name, kind.example) for name, kind in QUESTION_TYPES.items()},
    "likert of eleven": ("likert", {"points": 11, "low": "Not at all", "high": "Extremely"}),
    "likert with words": ("likert", {"points": 7, "labels": WORDS, "cannot_say": "I can't say"}),
    "slider with its value": ("slider", {**QUESTION_TYPES["slider"].example, "show_value": True}),
    "best of six": ("best_worst", {"k": 6, "best": "Most creative", "worst": "Least creative"}),
    "ranking of six": ("ranking", {"k": 6}),
    "choice without a tie": ("forced_choice", {}),
}
every_question = pytest.mark.parametrize("asked", SHOWN.values(), ids=SHOWN)
SLIDER = SHOWN["slider"]
BEST_WORST = SHOWN["best_worst"]
RANKING = SHOWN["ranking"]
OPINION = ("text", {"required": True, "max_length": 120})


def opened(chromium, width, height, **how):
    context = chromium.new_context(viewport={"width": width, "height": height}, **how)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on(
        "console",
        lambda message: page.errors.append(message.text) if message.type == "error" else None,
    )
    return page


@pytest.fixture(params=SIZES)
def page(chromium, request):
    """A page on a desktop with a mouse and on a phone with a finger; errors fail the test."""
    phone = request.param == "phone"
    page = opened(chromium, *SIZES[request.param], has_touch=phone, is_mobile=phone)
    yield page
    page.context.close()
    assert not page.errors


def continue_at(page):
    """How far down the page Continue is, in px."""
    return page.evaluate(
        "document.querySelector('form > .button').getBoundingClientRect().top + scrollY"
    )


def press(page, target, *, across=0.5, down=0.5):
    """One press inside `target`: a tap where there are fingers, a click where not."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
    if page.evaluate("navigator.maxTouchPoints > 0"):
        page.touchscreen.tap(x, y)
    else:
        page.mouse.click(x, y)


def swipe(page, start, by):
    """A finger that goes down at `start`, moves and is lifted."""
    session = page.context.new_cdp_session(page)
    steps = 8
    for step in range(steps + 1):
        point = {"x": start[0] + by[0] * step / steps, "y": start[1] + by[1] * step / steps}
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        page.wait_for_timeout(20)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(100)


def answer_by_press(page, kind, question):
    """Answer a question of the type `kind`; what the form then sends for it."""
    if kind == "slider":
        press(page, question.locator(".line"))
    elif kind == "text":
        question.locator("textarea").fill("Bold lines")
    elif kind == "best_worst":
        press(page, question.locator(".end").nth(0).locator("label").nth(1))
        press(page, question.locator(".end").nth(1).locator("label").nth(2))
    elif kind == "ranking":
        for label in question.locator(".by-press label").all():
            press(page, label)
    else:
        press(page, question.locator("label").nth(1))


@every_question
def test_it_can_be_answered_by_press_and_cleared_by_a_reset(page, asked):
    kind, options = asked
    show(page, asked)
    required = question_type(kind).is_required(options)
    assert is_answered(page) is not required
    answer_by_press(page, kind, page.locator("fieldset.question"))
    assert is_answered(page)
    first = sent(page)
    answer = question_type(kind).parse(question_type(kind).gather(first, "q0"), options)
    assert answer.value != ""
    for _ in range(2):
        reset(page)
        assert is_answered(page) is not required, "at once, not later"
        page.wait_for_timeout(50)
        assert is_answered(page) is not required
        assert question_type(kind).gather(sent(page), "q0") == ""
    answer_by_press(page, kind, page.locator("fieldset.question"))
    assert sent(page) == first


@every_question
def test_every_answer_is_told_by_an_event_that_the_form_hears(page, asked):
    show(page, asked)
    page.evaluate(
        """() => { window.heard = 0;
             for (const type of ["input", "change"])
               document.querySelector("form").addEventListener(type, () => window.heard++); }"""
    )
    answer_by_press(page, asked[0], page.locator("fieldset.question"))
    assert page.evaluate("heard") > 0


@every_question
def test_nothing_is_found_by_axe_before_or_after_an_answer(page, asked):
    show(page, asked)
    assert not violations(page)
    answer_by_press(page, asked[0], page.locator("fieldset.question"))
    assert not violations(page)
    page.emulate_media(color_scheme="dark")
    assert not violations(page)


@every_question
def test_targets_are_large_enough_for_a_finger(page, asked):
    show(page, asked)
    targets = page.locator("fieldset :is(label, .line, textarea, button)").locator("visible=true")
    assert targets.count()
    for target in targets.all():
        box = target.bounding_box()
        assert box["height"] >= SMALLEST_TARGET_PX
        assert box["width"] >= SMALLEST_TARGET_PX


@every_question
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_narrowest_phone_needs_no_sideways_scrolling(chromium, asked, script):
    page = opened(chromium, 320, 568, java_script_enabled=script)
    show(page, asked)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    inside = page.locator("fieldset *").locator("visible=true").all()
    boxes = [box for each in inside if (box := each.bounding_box()) and box["width"] > 1]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 320 for box in boxes)
    page.context.close()


@every_question
def test_nothing_moves_when_an_answer_is_given(page, asked):
    show(page, asked)
    before = continue_at(page)
    answer_by_press(page, asked[0], page.locator("fieldset.question"))
    assert continue_at(page) == before


def test_all_of_them_work_beside_each_other(page):
    asked = [(name, kind.example) for name, kind in QUESTION_TYPES.items()]
    show(page, *asked, SLIDER, RANKING)
    for number, (kind, _) in enumerate([*asked, SLIDER, RANKING]):
        answer_by_press(page, kind, page.locator("fieldset.question").nth(number))
        assert is_answered(page, number)
    fields = sent(page)
    for number, (kind, options) in enumerate([*asked, SLIDER, RANKING]):
        raw = question_type(kind).gather(fields, f"q{number}")
        question_type(kind).parse(raw, options)


@every_question
def test_without_a_script_the_form_asks_for_an_answer_and_sends_it(chromium, asked):
    kind, options = asked
    page = opened(chromium, 360, 740, java_script_enabled=False)
    show(page, asked)
    button = page.get_by_role("button", name="Continue")
    if question_type(kind).is_required(options):
        button.click()
        assert page.url == f"{SITE}/", "sent without an answer"
    if kind == "slider":
        page.get_by_role("spinbutton", name="How creative").fill("40")
    elif kind == "text":
        page.get_by_role("textbox").fill("Bold lines")
    elif kind == "ranking":
        for index, each in enumerate(page.get_by_role("combobox").all()):
            each.select_option(index=index + 1)
    elif kind == "best_worst":
        page.get_by_role("radiogroup", name="Most creative").get_by_role("radio").nth(1).check(
            force=True
        )
        page.get_by_role("radiogroup", name="Least creative").get_by_role("radio").nth(2).check(
            force=True
        )
    else:
        page.get_by_role("radio").nth(1).check(force=True)
    button.click()
    page.wait_for_url("**/sent?**")
    assert "answer-q0" in page.url
    page.context.close()


# The slider


def thumb_opacity(page) -> str:
    # Chromium has no computed style for the thumb itself: ask which rule would reach it.
    return page.evaluate(
        """() => {
          const line = document.querySelector("input[type=range]");
          let opacity = "1";
          for (const sheet of document.styleSheets)
            for (const rule of sheet.cssRules)
              for (const selector of (rule.selectorText ?? "").split(","))
                if (selector.endsWith("::-webkit-slider-thumb") && rule.style.opacity
                    && line.matches(selector.replace("::-webkit-slider-thumb", "").trim()))
                  opacity = rule.style.opacity;
          return opacity;
        }"""
    )


def test_a_slider_has_no_thumb_and_no_value_before_the_first_touch(page):
    show(page, SLIDER)
    line = page.get_by_role("slider", name="How creative is this image?")
    expect(line).to_have_attribute("aria-valuetext", "not answered yet")
    before = page.locator(".line").screenshot()
    assert thumb_opacity(page) == "0"
    assert sent(page) == {}
    press(page, page.locator(".line"), across=0.25)
    assert thumb_opacity(page) == "1"
    page.mouse.move(0, 0)
    assert page.locator(".line").screenshot() != before
    assert abs(int(sent(page)["q0"]) - 25) <= 3
    expect(line).to_have_attribute("aria-valuetext", sent(page)["q0"])
    reset(page)
    page.wait_for_timeout(50)
    assert thumb_opacity(page) == "0"
    expect(line).to_have_attribute("aria-valuetext", "not answered yet")


@pytest.mark.parametrize(("across", "value"), [(0.001, "0"), (0.5, "50"), (0.999, "100")])
def test_a_press_sets_the_slider_where_it_was_pressed(page, across, value):
    show(page, SLIDER)
    press(page, page.locator(".line"), across=across, down=0.1)
    assert sent(page) == {"q0": value}
    # The thumb is under the press, not beside it.
    box = page.locator(".line").bounding_box()
    press(page, page.locator(".line"), across=0.8)
    at = 14 + int(sent(page)["q0"]) / 100 * (box["width"] - 28)
    assert abs(at - 0.8 * box["width"]) <= (box["width"] - 28) / 100 / 2 + 0.5


def test_a_finger_drags_the_slider_and_one_that_scrolls_past_leaves_no_answer(chromium):
    page = opened(chromium, 360, 300, has_touch=True, is_mobile=True)
    show(page, SLIDER)
    line = page.locator(".line")
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    start = box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2
    swipe(page, start, (3, -150))
    assert not is_answered(page)
    assert sent(page) == {}
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    swipe(page, (start[0], box["y"] + box["height"] / 2), (box["width"] * 0.4, 6))
    assert is_answered(page)
    assert abs(int(sent(page)["q0"]) - 70) <= 4
    assert not page.errors
    page.context.close()


def test_a_mouse_drags_the_slider_beyond_its_end(page):
    show(page, ("slider", {**SLIDER[1], "min": -1, "max": 1, "step": 0.1}))
    box = page.locator(".line").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 20, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, y, steps=4)
    assert sent(page) == {"q0": "0"}
    page.mouse.move(box["x"] + box["width"] + 200, y + 60, steps=4)
    page.mouse.up()
    assert sent(page) == {"q0": "1"}
    page.mouse.move(box["x"] + 20, y)
    assert sent(page) == {"q0": "1"}


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["ArrowRight"], "50"),
        (["ArrowLeft"], "50"),
        (["ArrowRight", "ArrowRight", "ArrowUp"], "52"),
        (["PageDown"], "50"),
        (["Home"], "0"),
        (["End"], "100"),
    ],
)
def test_the_first_arrow_starts_the_slider_in_the_middle(page, keys, value):
    show(page, SLIDER)
    page.locator("input[type=range]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert not is_answered(page), "walking past is no answer"
    for key in keys:
        page.keyboard.press(key)
    assert sent(page) == {"q0": value}


def test_continue_asks_for_a_slider_that_was_not_touched(page):
    show(page, SLIDER)
    page.get_by_role("button", name="Continue").click()
    assert page.url == f"{SITE}/"
    message = page.locator("input[type=range]").evaluate("line => line.validationMessage")
    assert message == "Press on the line to answer."
    press(page, page.locator(".line"))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/sent?answer-q0=50")


def test_the_value_of_a_slider_is_shown_only_where_the_study_says(page):
    show(page, SHOWN["slider with its value"])
    expect(page.locator(".value")).to_have_text("")
    press(page, page.locator(".line"))
    expect(page.locator(".value")).to_have_text("50")
    show(page, SLIDER)
    press(page, page.locator(".line"))
    assert "50" not in page.locator("fieldset").inner_text()


# Best and worst


def end(page, words):
    return page.get_by_role("radiogroup", name=words)


def test_best_and_worst_must_be_two_images(page):
    show(page, BEST_WORST)
    before = continue_at(page)
    press(page, end(page, "Most creative").locator("label").nth(1))
    press(page, end(page, "Least creative").locator("label").nth(1))
    assert continue_at(page) == before, "what is said moves nothing"
    assert not is_answered(page)
    expect(page.get_by_role("status")).to_have_text("Choose two different images.")
    assert not violations(page)
    page.get_by_role("button", name="Continue").click()
    assert page.url == f"{SITE}/"
    press(page, end(page, "Least creative").locator("label").nth(3))
    expect(page.get_by_role("status")).to_have_text("")
    assert is_answered(page)
    assert sent(page) == {"q0.best": "2", "q0.worst": "4"}


def test_arrows_walk_through_one_group_without_touching_the_other(page):
    show(page, BEST_WORST)
    end(page, "Most creative").get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert sent(page) == {"q0.best": "2", "q0.worst": "3"}
    assert is_answered(page)


def test_number_keys_go_to_the_end_that_is_not_yet_chosen(page):
    show(page, BEST_WORST)

    def number_key(number):
        # What the trial page does with a number key.
        page.locator(f"fieldset input[data-key='{number}']").first.click(force=True)

    number_key(3)
    number_key(1)
    assert sent(page) == {"q0.best": "3", "q0.worst": "1"}
    number_key(2)
    assert sent(page) == {"q0.best": "3", "q0.worst": "2"}
    reset(page)
    page.wait_for_timeout(50)
    number_key(4)
    assert sent(page) == {"q0.best": "4"}


# Ranking


def test_images_are_ranked_by_keyboard_and_the_order_is_read_out(page):
    show(page, RANKING)
    boxes = page.get_by_role("checkbox")
    boxes.nth(2).focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_have_text("Image C: rank 1")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("status")).to_have_text("Image D: rank 2")
    assert not is_answered(page)
    assert sent(page) == {"q0.1": "3", "q0.2": "4", "q0.3": "", "q0.4": ""}
    boxes.nth(0).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert sent(page) == {"q0.1": "3", "q0.2": "4", "q0.3": "1", "q0.4": "2"}
    assert is_answered(page)
    expect(page.get_by_role("checkbox", name="Image A: rank 3")).to_be_checked()


def test_either_the_lists_or_the_images_to_press_are_shown(chromium, page):
    show(page, RANKING)
    expect(page.locator(".by-list")).to_be_hidden()
    expect(page.locator(".by-press")).to_be_visible()
    plain = opened(chromium, 360, 740, java_script_enabled=False)
    show(plain, RANKING)
    expect(plain.locator(".by-list")).to_be_visible()
    expect(plain.locator(".by-press")).to_be_hidden()
    plain.context.close()


def test_undo_takes_the_last_rank_back_and_keeps_the_focus(page):
    show(page, RANKING)
    labels = page.locator(".by-press label")
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_have_attribute("aria-disabled", "true")
    press(page, undo)
    for index in (1, 0):
        press(page, labels.nth(index))
    undo.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Image A: no rank")
    assert sent(page) == {"q0.1": "2", "q0.2": "", "q0.3": "", "q0.4": ""}
    page.keyboard.press("Enter")
    expect(undo).to_have_attribute("aria-disabled", "true")
    expect(undo).to_be_focused()
    assert page.url == f"{SITE}/"
    assert not is_answered(page)


def test_pressing_a_ranked_image_again_closes_the_gap(page):
    show(page, RANKING)
    labels = page.locator(".by-press label")
    for index in range(4):
        press(page, labels.nth(index))
    press(page, labels.nth(1))
    assert sent(page) == {"q0.1": "1", "q0.2": "3", "q0.3": "4", "q0.4": ""}
    assert not is_answered(page)
    press(page, labels.nth(1))
    assert sent(page) == {"q0.1": "1", "q0.2": "3", "q0.3": "4", "q0.4": "2"}
    assert is_answered(page)


# Free text


def test_white_space_is_no_text_and_the_room_left_is_said_near_the_end(page):
    show(page, OPINION)
    area = page.get_by_role("textbox", name="What made you choose this?")
    area.fill("  \n ")
    assert not is_answered(page)
    area.fill("a")
    assert is_answered(page)
    expect(page.locator(".left")).to_have_text("")
    before = continue_at(page)
    area.fill("a" * 30)
    expect(page.locator(".left")).to_have_text("Characters left: 90")
    assert continue_at(page) == before, "what is said moves nothing"
    reset(page)
    expect(page.locator(".left")).to_have_text("")
    assert not is_answered(page)


# Likert scales


def test_the_words_of_every_point_stand_in_one_row_where_there_is_room(page):
    show(page, SHOWN["likert with words"])
    tops = {round(each.bounding_box()["y"]) for each in page.locator(".scale label").all()}
    assert len(tops) == (1 if page.viewport_size["width"] >= 620 else 7)
    press(page, page.locator(".scale label").nth(3))
    broken = page.evaluate(
        """() => [...document.querySelectorAll(".scale .words")].flatMap(({ firstChild: text }) =>
             [...text.data.matchAll(/\\S+/g)].filter((word) => {
               const range = document.createRange();
               range.setStart(text, word.index);
               range.setEnd(text, word.index + word[0].length);
               return range.getClientRects().length > 1;
             }).map((word) => word[0]))"""
    )
    assert not broken


@pytest.mark.parametrize("points", [5, 7, 8, 9, 10, 11])
@pytest.mark.parametrize("width", [320, 360, 768])
def test_points_stand_in_as_few_rows_as_fingers_allow(chromium, points, width):
    page = opened(chromium, width, 740)
    show(page, ("likert", {"points": points, "low": "Not at all", "high": "Extremely"}))
    boxes = [each.bounding_box() for each in page.locator(".scale label").all()]
    tops = {round(box["y"]) for box in boxes}
    assert len(tops) == (2 if points > 7 and width < 620 else 1)
    assert len({round(box["width"]) for box in boxes}) <= 2, "up to rounding"
    assert min(box["width"] for box in boxes) >= (38 if width == 320 else SMALLEST_TARGET_PX)
    assert ("11: Extremely" in page.locator(".ends").inner_text()) == (points == 11 and width < 620)
    page.context.close()


def test_cannot_say_and_the_scale_are_one_group_for_the_arrows(page):
    show(page, SHOWN["likert"])
    page.get_by_role("radio", name="7, Extremely creative").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="I can't say")).to_be_checked()
    assert sent(page) == {"q0": "cannot_say"}
