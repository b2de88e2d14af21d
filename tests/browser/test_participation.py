"""A whole participation in a real browser, on a desktop and on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations

SMALLEST_TARGET_PX = 44


def begin(page):
    page.goto("/s/browser/")
    page.get_by_role("link", name="Read about taking part").click()
    page.get_by_role("button", name="I agree").click()
    page.get_by_role("button", name="Start rating").click()


def shown(page):
    """Wait until the image has been painted: what was not seen cannot be rated."""
    expect(page.locator(".questions > .button")).to_be_visible()
    page.wait_for_load_state()  # before its script has run, the page promises nothing
    expect(page.locator(".questions .button:not([aria-disabled])")).to_be_visible()


def choose(page, point, label):
    shown(page)
    page.get_by_role("radio", name=str(point), exact=False).first.check(force=True)
    page.get_by_role("radio", name=label, exact=True).check(force=True)


def no_sideways_scrolling(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def test_from_the_first_page_to_the_code(page):
    page.goto("/s/browser/")
    seen = [page.url]
    assert not violations(page)
    no_sideways_scrolling(page)
    page.get_by_role("link", name="Read about taking part").click()
    assert not violations(page)
    page.get_by_role("button", name="I agree").click()
    assert not violations(page)
    page.get_by_role("button", name="Start rating").click()
    for number in range(1, 7):
        expect(page.get_by_text(f"{number} of 6").first).to_be_visible()
        image = page.get_by_role("img", name="The image to rate")
        expect(image).to_be_visible()
        assert image.evaluate("img => img.decode().then(() => img.naturalWidth)") == 28
        assert image.evaluate("img => img.clientWidth % 28") == 0
        no_sideways_scrolling(page)
        if number == 1:
            assert not violations(page)
            boxes = page.locator(".scale label, .labels label, .button").all()
            for box in boxes:
                assert box.bounding_box()["height"] >= SMALLEST_TARGET_PX
                assert box.bounding_box()["width"] >= SMALLEST_TARGET_PX
            rows = {round(box.bounding_box()["y"]) for box in page.locator(".scale label").all()}
            assert len(rows) == 1
            # Nothing to scroll for: Continue is on the screen.
            assert page.evaluate(
                "document.querySelector('.questions .button').getBoundingClientRect().bottom"
                " <= window.innerHeight"
            )
        choose(page, number, "Creative")
        page.get_by_role("button", name="Continue").click()
        seen.append(page.url)
    expect(page.get_by_role("heading", name="all your answers are saved")).to_be_visible()
    expect(page.locator("#completion-code")).to_have_text("MUSE-1234")
    assert not violations(page)


def test_by_keyboard_alone(page):
    begin(page)
    for number in range(1, 7):
        expect(page.get_by_text(f"{number} of 6").first).to_be_visible()
        shown(page)
        page.keyboard.press("5")
        page.keyboard.press("3")
        expect(page.get_by_role("radio", name="5", exact=True)).to_be_checked()
        expect(page.get_by_role("radio", name="Creative", exact=True)).to_be_checked()
        page.keyboard.press("3" if number % 2 else "Enter")
    expect(page.locator("#completion-code")).to_be_visible()


def test_number_keys_can_be_switched_off(page):
    begin(page)
    if page.evaluate("matchMedia('(hover: none)').matches"):
        pytest.skip("a phone has no number keys to switch off")
    toggle = page.locator(".keys-toggle")
    toggle.click()
    page.keyboard.press("5")
    assert page.locator("input:checked").count() == 0
    page.reload()
    expect(toggle).to_have_text(re.compile("off"))


def test_reload_and_coming_back_resume(page):
    begin(page)
    choose(page, 2, "Inconclusive")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("2 of 6").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("2 of 6").first).to_be_visible()
    page.goto("/s/browser/")
    page.get_by_role("link", name="Continue where you left off").click()
    expect(page.get_by_text("2 of 6").first).to_be_visible()


def test_double_click_and_back_button_store_one_answer_each(page):
    begin(page)
    choose(page, 2, "Creative")
    page.get_by_role("button", name="Continue").dblclick()
    expect(page.get_by_text("2 of 6").first).to_be_visible()
    page.go_back()
    page.wait_for_load_state()
    expect(page.get_by_text("2 of 6").first).to_be_visible()


def test_response_time_runs_from_the_painted_image(page):
    begin(page)
    page.wait_for_timeout(400)
    choose(page, 2, "Creative")
    with page.expect_request(lambda asked: asked.method == "POST") as sent:
        page.get_by_role("button", name="Continue").click()
    told = sent.value.post_data_json
    assert 300 < told["response_time_ms"] < 20_000
    assert [change[1:] for change in told["evidence"]["changes"]] == [
        ["creativity", "2"],
        ["label", "creative"],
    ]
    assert 0 < told["evidence"]["onset_ms"] < 20_000
    assert told["evidence"]["width_px"] == page.viewport_size["width"]


@pytest.mark.expects_console_errors("ERR_INTERNET_DISCONNECTED")
def test_an_answer_given_offline_is_kept_and_sent(page):
    begin(page)
    choose(page, 4, "Creative")
    page.context.set_offline(True)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("No connection at the moment")).to_be_visible()
    # The next image is here already, but nothing is said to be saved.
    expect(page.get_by_text("2 of 6").first).to_be_visible()
    expect(page.locator(".saved")).to_have_text("Saving…")
    page.context.set_offline(False)
    expect(page.locator(".saved")).to_have_text("✓ Saved", timeout=15_000)
    expect(page.get_by_text("No connection at the moment")).to_be_hidden()


@pytest.mark.expects_console_errors("ERR_FAILED")
def test_an_image_that_did_not_load_is_not_rated(page):
    page.route("**/image/**", lambda route: route.abort())
    begin(page)
    expect(page.get_by_text("The image did not load")).to_be_visible(timeout=10_000)
    for key in ("5", "3", "3", "Enter"):
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    expect(page.get_by_text("1 of 6").first).to_be_visible()
    page.unroute("**/image/**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("img", name="The image to rate")).to_be_visible()


def test_without_javascript(chromium, server):
    context = chromium.new_context(base_url=server, java_script_enabled=False)
    page = context.new_page()
    begin(page)
    expect(page.locator(".keys-toggle")).to_be_hidden()  # nothing that only a script can do
    for number in range(1, 7):
        expect(page.get_by_text(f"{number} of 6").first).to_be_visible()
        choose(page, 3, "Creative")
        page.get_by_role("button", name="Continue").click()
    expect(page.locator("#completion-code")).to_be_visible()
    context.close()


@pytest.mark.parametrize("width", [320])
def test_the_narrowest_phone_needs_no_sideways_scrolling(chromium, server, width):
    context = chromium.new_context(base_url=server, viewport={"width": width, "height": 568})
    page = context.new_page()
    for path in ("/s/browser/", "/s/browser/consent/"):
        page.goto(path)
        no_sideways_scrolling(page)
    begin(page)
    no_sideways_scrolling(page)
    context.close()


def test_a_trial_page_is_light(page):
    """At most 8 requests and 60 kB besides the images, as it comes over the wire."""
    begin(page)
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
           .filter(entry => !entry.name.includes("/image/") && !entry.name.startsWith("data:"))
           .map(entry => entry.encodedBodySize)"""
    )
    assert all(size > 0 for size in sizes)
    assert len(sizes) <= 8
    assert sum(sizes) < 60_000
