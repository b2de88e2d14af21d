"""Coming in and going out in a real browser: what is measured, a second device, a frame."""

import re

from playwright.sync_api import expect

from tests.browser.axe import violations

PERSON = "5f0a1b2c3d4e5f6a7b8c9d0e"
FRAME = '<!doctype html><title>Task</title><iframe src="{}" width="900" height="700"></iframe>'


def is_phone(page):
    return page.viewport_size["width"] < 600


def no_sideways_scrolling(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def in_order(page):
    assert not violations(page)
    no_sideways_scrolling(page)


def agree(page, address):
    page.goto(address)
    in_order(page)
    page.get_by_role("link", name="Read about taking part").click()
    in_order(page)
    page.get_by_role("button", name="I agree").click()


def rate_both(page):
    page.get_by_role("button", name="Start rating").click()
    for number in (1, 2):
        expect(page.get_by_text(f"{number} of 2").first).to_be_visible()
        page.get_by_role("radio", name="5", exact=False).first.check(force=True)
        page.get_by_role("button", name="Continue").click()
    expect(page.locator("#completion-code")).to_be_visible()


def test_the_kind_of_device_decides_where_it_has_to(page):
    agree(page, "/s/phones/")
    if is_phone(page):
        expect(page.get_by_role("button", name="Start rating")).to_be_visible()
        return
    expect(page.get_by_role("heading", name="needs something else")).to_be_visible()
    expect(page.get_by_text("It can be done on: a phone")).to_be_visible()
    in_order(page)


def test_a_window_that_is_too_narrow_can_be_enlarged(page):
    agree(page, "/s/wide/")
    if is_phone(page):
        expect(page.get_by_text("at least 400 pixels wide")).to_be_visible()
        in_order(page)
        page.get_by_role("link", name="Try again").click()
        page.set_viewport_size({"width": 740, "height": 360})
        page.get_by_role("button", name="I agree").click()
    expect(page.get_by_role("button", name="Start rating")).to_be_visible()


def test_a_second_browser_goes_on_as_the_same_person(page, chromium, server):
    link = f"/s/prolific/?PROLIFIC_PID={PERSON}{page.viewport_size['width']}"
    agree(page, link)
    expect(page.get_by_role("button", name="Start rating")).to_be_visible()
    other = chromium.new_context(base_url=server).new_page()
    other.goto(link)
    other.get_by_role("link", name="Continue where you left off").click()
    expect(other.get_by_role("heading", name="Welcome back")).to_be_visible()
    in_order(other)
    other.get_by_role("button", name="Continue where you left off").click()
    rate_both(other)
    in_order(other)
    back = other.get_by_role("link", name="Back to Prolific")
    expect(back).to_have_attribute("href", re.compile(r"app\.prolific\.com/.*cc=MUSE-1234"))
    expect(other.get_by_role("button", name="Print the receipt")).to_be_visible()
    # The first browser finds the same end.
    page.goto("/s/prolific/trial/")
    expect(page.locator("#completion-code")).to_have_text("MUSE-1234")
    other.context.close()


def test_mechanical_turk_frames_the_first_page_and_gets_the_work_back(chromium, server):
    """The frame's own site is played by the test; the study runs in a tab of its own."""
    # To the browser, the site is far away and the study on this machine.
    context = chromium.new_context(permissions=["local-network-access"])
    sent = []
    task = (
        f"{server}/s/mturk/?workerId={PERSON}&assignmentId=assignment1&hitId=hit1"
        "&turkSubmitTo=https%3A%2F%2Fworkersandbox.mturk.com"
    )

    def play(route):
        if route.request.method == "POST":
            sent.append((route.request.url, route.request.post_data))
        route.fulfill(content_type="text/html", body=FRAME.format(task))

    context.route("https://workersandbox.mturk.com/**", play)
    page = context.new_page()
    page.goto("https://workersandbox.mturk.com/projects/1/tasks/2")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("opens in a new tab. Come back")).to_be_visible()
    with context.expect_page() as opened:
        frame.get_by_role("link", name="Read about taking part").click()
    study = opened.value
    study.get_by_role("button", name="I agree").click()
    rate_both(study)
    expect(study.get_by_text("go back to the tab of Amazon Mechanical Turk")).to_be_visible()
    assert not violations(study)
    # A headless browser shows every tab, so that nothing tells the page of the return.
    page.frames[1].evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    frame.get_by_role("button", name="Hand in on Amazon Mechanical Turk").click()
    page.wait_for_timeout(500)
    assert sent == [
        (
            "https://workersandbox.mturk.com/mturk/externalSubmit",
            "assignmentId=assignment1&code=MTURK-1",
        )
    ]
    context.close()


def test_no_other_page_can_be_framed(chromium, server):
    context = chromium.new_context(permissions=["local-network-access"])
    context.route(
        "https://workersandbox.mturk.com/**",
        lambda route: route.fulfill(
            content_type="text/html", body=FRAME.format(f"{server}/s/browser/")
        ),
    )
    page = context.new_page()
    refused = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto("https://workersandbox.mturk.com/")
    page.wait_for_timeout(500)
    assert "refused" in " ".join(refused).lower() or "violates" in " ".join(refused).lower()
    assert "How creative" not in page.frames[1].content()
    context.close()
