"""An answer that was given reaches the database once, whatever happens on its way.

The network is cut for two minutes by the page's clock; with MUSESCAN_OUTAGE_S set, for so many
real seconds.
"""

import os

import pytest
from playwright.sync_api import Error, expect

from tests.browser.cutting import bad_line
from tests.browser.stored import fall_silent, stored_trials, stored_values
from tests.studies.factories import PASSWORD

SLUG = "never-lost"
N_TRIALS = 6
OUTAGE_S = float(os.environ.get("MUSESCAN_OUTAGE_S", 0))
ANSWERS = "**/answers/"
# Beyond the longest pause between two attempts to send.
DRAINED_MS = 25_000


@pytest.fixture(scope="module", autouse=True)
def _studies(served):
    served.run("-m", "tests.browser.build_interruptions")


@pytest.fixture
def context(chromium, server):
    context = chromium.new_context(base_url=server)
    yield context
    context.close()


def agree(page, slug=SLUG):
    page.goto(f"/s/{slug}/consent/")
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="Start").click()
    ready(page)
    # The images that come next are there too.
    page.wait_for_load_state("networkidle")


def begin(context):
    page = context.new_page()
    agree(page)
    return page


def ready(page, **how):
    """Wait until the image has been painted: before, it cannot be rated."""
    page.wait_for_load_state("domcontentloaded")  # its script has run, and says so
    expect(page.locator(".questions .button:not([aria-disabled])")).to_be_visible(**how)


def at(page, number, **how):
    expect(page.locator(".where")).to_have_text(f"{number} of {N_TRIALS}", **how)
    ready(page, **how)


def choose(page, point):
    page.locator(f'input[name="answer-creativity"][value="{point}"]').check(force=True)


def rate(page, point):
    choose(page, point)
    page.get_by_role("button", name="Continue").click()


def finish(page, first):
    """Rate everything from the image with the number `first` on, each with its own number."""
    for number in range(first, N_TRIALS + 1):
        at(page, number)
        rate(page, number)
    expect(page.locator("#completion-code")).to_have_text("CODE-never-lost")


def saved(page, **how):
    expect(page.locator(".saved")).to_have_text("✓ Saved", **how)


def test_two_minutes_without_network_cost_no_answer_and_no_waiting(context, served):
    context.clock.install()
    page = begin(context)
    context.set_offline(True)
    for number in (1, 2):
        rate(page, number)
        at(page, number + 1)
        expect(page.get_by_text("No connection at the moment")).to_be_visible()
        expect(page.locator(".saved")).to_have_text("Saving…")
    rate(page, 3)
    if OUTAGE_S:
        page.wait_for_timeout(1000 * OUTAGE_S)
    else:
        page.clock.fast_forward("02:00")
    expect(page.get_by_text("No connection at the moment")).to_be_visible()
    assert stored_values(served, context, SLUG) == []
    context.set_offline(False)
    at(page, 4, timeout=DRAINED_MS)
    saved(page)
    expect(page.get_by_text("No connection at the moment")).to_be_hidden()
    assert stored_values(served, context, SLUG) == [[1], [2], [3]]
    finish(page, 4)
    assert stored_values(served, context, SLUG) == [[n] for n in range(1, N_TRIALS + 1)]


def test_without_network_no_image_is_skipped_and_the_next_one_comes_by_itself(context, served):
    page = begin(context)
    context.set_offline(True)
    for number in (1, 2, 3):
        at(page, number)
        rate(page, number)
    context.set_offline(False)
    at(page, 4, timeout=DRAINED_MS)
    saved(page)
    # Known, but never fetched: as if the network had gone before there was time to.
    page.evaluate("trials[1].images[0].url += '?never=fetched'")
    context.set_offline(True)
    rate(page, 4)
    expect(page.get_by_text("The image did not load")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("button", name="Go on without it")).to_be_hidden()
    context.set_offline(False)
    finish(page, 5)
    assert stored_values(served, context, SLUG) == [[n] for n in range(1, N_TRIALS + 1)]


def test_saved_is_said_after_the_acknowledgement_only(context, served):
    page = begin(context)
    held = []
    page.route(ANSWERS, lambda route: held.append(route))
    with page.expect_request(ANSWERS):
        rate(page, 5)
    # The next image is shown, and nothing is said to be saved.
    at(page, 2)
    expect(page.locator(".saved")).to_have_text("Saving…")
    held[0].continue_()
    saved(page)
    assert stored_values(served, context, SLUG) == [[5]]


@pytest.mark.parametrize("arrives", [False, True], ids=["on its way", "acknowledgement on its way"])
def test_a_reload_in_the_middle_of_sending_loses_nothing(context, served, arrives):
    page = begin(context)
    cut_off = []

    def cut(route):
        if arrives:
            route.fetch()
        cut_off.append(route)

    page.route(ANSWERS, cut)
    with page.expect_request(ANSWERS):
        rate(page, 5)
    at(page, 2)
    page.wait_for_timeout(300)
    assert cut_off
    assert stored_values(served, context, SLUG) == ([[5]] if arrives else [])
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    at(page, 2)
    saved(page)
    assert stored_values(served, context, SLUG) == [[5]]
    finish(page, 2)
    assert [len(values) for values in stored_values(served, context, SLUG)] == [1] * N_TRIALS


def test_a_reload_without_network_loses_nothing(context, served):
    page = begin(context)
    context.set_offline(True)
    rate(page, 4)
    at(page, 2)
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        page.reload()
    context.set_offline(False)
    page.goto(f"/s/{SLUG}/")
    page.get_by_role("link", name="Continue where you left off").click()
    at(page, 2)
    saved(page)
    assert stored_values(served, context, SLUG) == [[4]]


def test_a_closed_tab_sends_what_is_left_when_it_is_opened_again(context, served):
    page = begin(context)
    context.set_offline(True)
    for number in (1, 2):
        rate(page, number)
        at(page, number + 1)
    page.close()
    context.set_offline(False)
    page = context.new_page()
    page.goto(f"/s/{SLUG}/trial/")
    saved(page)
    at(page, 3)
    assert stored_values(served, context, SLUG) == [[1], [2]]
    finish(page, 3)


def test_two_tabs_keep_one_value_the_first(context, served):
    first = begin(context)
    second = context.new_page()
    second.goto(f"/s/{SLUG}/trial/")
    at(second, 1)
    rate(first, 2)
    saved(first)
    rate(second, 6)
    at(second, 2)
    saved(second)
    assert stored_values(served, context, SLUG) == [[2]]
    finish(second, 2)
    first.reload()
    expect(first.locator("#completion-code")).to_be_visible()
    assert stored_values(served, context, SLUG) == [[2], *[[n] for n in range(2, N_TRIALS + 1)]]


def test_two_tabs_without_network_send_one_value_each(context, served):
    first = begin(context)
    second = context.new_page()
    second.goto(f"/s/{SLUG}/trial/")
    at(second, 1)
    context.set_offline(True)
    rate(first, 2)
    rate(second, 6)
    at(first, 2)
    at(second, 2)
    context.set_offline(False)
    saved(first, timeout=DRAINED_MS)
    saved(second, timeout=DRAINED_MS)
    assert stored_values(served, context, SLUG) == [[2]]


def test_two_devices_are_one_person_with_one_value_each(context, chromium, server, served):
    page = begin(context)
    other = chromium.new_context(base_url=server)
    other.add_cookies([each for each in context.cookies() if each["name"] == f"musescan_{SLUG}"])
    phone = other.new_page()
    phone.goto(f"/s/{SLUG}/trial/")
    at(phone, 1)
    rate(phone, 7)
    saved(phone)
    rate(page, 3)
    at(page, 2)
    rate(page, 2)
    saved(page)
    # The other device goes on where they are, not where it was.
    finish(page, 3)
    phone.reload()
    expect(phone.locator("#completion-code")).to_be_visible()
    values = [[7], *[[n] for n in range(2, N_TRIALS + 1)]]
    assert stored_values(served, other, SLUG) == stored_values(served, context, SLUG) == values
    other.close()


def test_back_and_double_click_store_one_value_each(context, served):
    page = begin(context)
    choose(page, 3)
    page.get_by_role("button", name="Continue").dblclick()
    at(page, 2)
    saved(page)
    page.go_back()
    page.goto(f"/s/{SLUG}/trial/")
    at(page, 2)
    rate(page, 2)
    saved(page)
    page.go_back()
    page.go_forward()
    at(page, 3)
    assert stored_values(served, context, SLUG) == [[3], [2]]


def test_a_server_that_was_killed_gets_the_answer_when_it_is_back(context, served):
    page = begin(context)
    served.kill()
    rate(page, 4)
    at(page, 2)
    expect(page.get_by_text("No connection at the moment")).to_be_visible()
    served.start()
    saved(page, timeout=DRAINED_MS)
    assert stored_values(served, context, SLUG) == [[4]]
    finish(page, 2)


def test_the_last_answer_is_stored_before_a_code_is_shown(context, served):
    page = begin(context)
    for number in range(1, N_TRIALS):
        at(page, number)
        rate(page, number)
    at(page, N_TRIALS)
    held = []
    page.route(ANSWERS, lambda route: held.append(route))
    with page.expect_request(ANSWERS):
        rate(page, N_TRIALS)
    page.wait_for_timeout(500)
    assert page.url.endswith("/trial/")
    assert context.request.get(f"/s/{SLUG}/debrief/").url.endswith("/trial/")
    expect(page.locator(".saved")).to_have_text("Saving…")
    held[0].continue_()
    expect(page.locator("#completion-code")).to_have_text("CODE-never-lost")
    assert stored_values(served, context, SLUG) == [[n] for n in range(1, N_TRIALS + 1)]


def test_signing_in_elsewhere_in_the_browser_loses_no_answer(context, served):
    page = begin(context)
    researcher = context.new_page()
    researcher.goto("/workspace/")
    researcher.fill("input[name=username]", "ada")
    researcher.fill("input[name=password]", PASSWORD)
    researcher.get_by_role("button", name="Sign in").click()
    researcher.wait_for_url("**/workspace/**")
    rate(page, 4)
    saved(page)
    at(page, 2)
    assert stored_values(served, context, SLUG) == [[4]]


def begin_on(line, chromium):
    """Somebody on a bad line, at their first image."""
    context = chromium.new_context(base_url=line.address)
    page = context.new_page()
    page.goto(f"/s/{SLUG}/consent/")
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="Start").click()
    return context, page


def test_an_image_that_arrives_cut_off_is_fetched_again(chromium, served):
    with bad_line(served.port, n_cuts=1) as line:
        context, page = begin_on(line, chromium)
        at(page, 1)
        page.wait_for_load_state()  # before its script has run, the page promises nothing
        expect(page.locator(".questions .button:not([aria-disabled])")).to_be_visible()
        image = page.get_by_role("img", name="The image to rate")
        assert image.evaluate("img => img.decode().then(() => img.naturalWidth)") == 28
        rate(page, 4)
        saved(page)
        (trial, *_) = stored_trials(served, context, SLUG)
        assert trial.values == [4]
        assert trial.evidence["n_retries"] == 1
        context.close()


def test_an_image_that_never_arrives_whole_can_be_skipped_and_is_not_rated(chromium, served):
    with bad_line(served.port, n_cuts=1000) as line:
        context, page = begin_on(line, chromium)
        notice = page.get_by_text("The image did not load")
        expect(notice).to_be_visible(timeout=10_000)
        page.get_by_role("button", name="Try again").click()
        expect(notice).to_be_hidden()
        expect(notice).to_be_visible(timeout=10_000)
        # Nobody can rate what they did not see.
        for key in ("5", "5", "Enter"):
            page.keyboard.press(key)
        expect(page.locator(".where")).to_have_text(f"1 of {N_TRIALS}")
        line.n_cuts = 0
        page.get_by_role("button", name="Go on without it").click()
        finish(page, 2)
        trials = stored_trials(served, context, SLUG)
        context.close()
    assert [trial.state for trial in trials] == ["unseen", *["completed"] * (N_TRIALS - 1)]
    assert [trial.values for trial in trials] == [[], *[[n] for n in range(2, N_TRIALS + 1)]]


def test_answers_of_somebody_who_comes_back_when_nothing_is_left_are_kept(
    context, chromium, server, served
):
    page = context.new_page()
    agree(page, "scarce")
    context.set_offline(True)
    for number in (1, 2):
        ready(page)
        expect(page.locator(".where")).to_have_text(f"{number} of 12")
        rate(page, number)
    page.close()
    fall_silent(served, context, "scarce")
    quick = chromium.new_context(base_url=server)
    agree(quick.new_page(), "scarce")
    assert len(stored_trials(served, quick, "scarce")) == 12
    context.set_offline(False)
    page = context.new_page()
    page.goto("/s/scarce/")
    page.get_by_role("link", name="Continue where you left off").click()
    # They are not asked for more, and what they gave is not lost.
    expect(page.locator("#completion-code")).to_have_text("CODE-scarce")
    page.wait_for_load_state("networkidle")
    assert stored_values(served, context, "scarce") == [[1], [2]]
    quick.close()


def test_what_was_answered_before_stopping_is_kept(context, served):
    page = begin(context)
    context.set_offline(True)
    rate(page, 4)
    at(page, 2)
    page.route(ANSWERS, lambda route: route.abort())
    context.set_offline(False)
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("link", name="Stop taking part").click()
    page.get_by_role("button", name="Stop taking part").click()
    expect(page.get_by_text("1 answer is kept")).to_be_visible()
    assert stored_values(served, context, SLUG) == [[4]]


def test_an_answer_that_was_changed_twice_is_one_value_and_its_history(context, served):
    page = context.new_page()
    agree(page, "changeable")
    for value in (2, 5, 7):
        if value != 2:
            page.get_by_role("link", name="Change the previous answer").click()
        choose(page, value)
        page.locator(".questions .button").click()
        expect(page.locator(".where")).to_have_text("2 of 3")
        saved(page)
    (trial, *_) = stored_trials(served, context, "changeable")
    assert trial.values == [7]
    assert trial.earlier == [2, 5]
