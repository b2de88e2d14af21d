"""Every way of presenting and asking, gone through in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.test_participation import no_sideways_scrolling, shown

MODES = [
    "pairs", "bestworst", "ranking", "slider", "timed", "changes", "reference", "arabic",
]  # fmt: skip


def enter(page, slug):
    """From the first page to the block after consent."""
    page.goto(f"/s/{slug}/")
    page.locator("main a.button").click()
    page.locator("button[name=agree]").click()


def start(page, slug):
    enter(page, slug)
    page.locator("main form .button").click()
    shown(page)


def go_on(page):
    page.locator(".questions > .button").click()


@pytest.mark.parametrize("slug", MODES)
def test_every_kind_of_trial_is_accessible_and_fits(chromium, server, slug):
    for width, height, scheme in [(320, 568, "light"), (360, 740, "dark"), (1280, 800, "light")]:
        context = chromium.new_context(
            base_url=server, viewport={"width": width, "height": height}, color_scheme=scheme
        )
        page = context.new_page()
        start(page, slug)
        no_sideways_scrolling(page)
        assert not violations(page), (slug, width, scheme)
        context.close()


def test_a_timed_image_is_masked_and_its_time_recorded(page):
    start(page, "timed")
    stimulus = page.locator(".stimulus")
    expect(stimulus).to_have_class(re.compile("masked"))
    page.get_by_role("radio", name="4", exact=True).check(force=True)
    with page.expect_request("**/answers/") as sent:
        go_on(page)
    evidence = sent.value.post_data_json["evidence"]
    assert evidence["asked_ms"] == 300
    # A frame early or a few late, on a machine that has other work too.
    assert 280 <= evidence["shown_ms"] <= 450
    assert evidence["onset_ms"] >= 0


def test_of_two_images_one_is_chosen(page):
    start(page, "pairs")
    addresses = page.locator(".stimulus img").evaluate_all("all => all.map(one => one.src)")
    assert len(set(addresses)) == 2
    page.get_by_role("radio", name="Left image").check(force=True)
    with page.expect_response("**/answers/") as told:
        go_on(page)
    assert told.value.json()["saved"]
    assert told.value.request.post_data_json["answers"] == {"more_creative": "left"}
    expect(page.get_by_text("2 of 3").first).to_be_visible()
    shown(page)
    # Another pair, and nothing chosen yet.
    after = page.locator(".stimulus img").evaluate_all("all => all.map(one => one.src)")
    assert not set(addresses) & set(after)
    assert page.locator("input:checked").count() == 0


def test_the_reference_stands_beside_every_image(page):
    start(page, "reference")
    reference = page.get_by_role("img", name="The reference image")
    expect(reference).to_be_visible()
    address = reference.get_attribute("src")
    page.get_by_role("radio", name="4", exact=True).check(force=True)
    go_on(page)
    expect(page.get_by_text("2 of 3").first).to_be_visible()
    assert reference.get_attribute("src") == address


def test_an_image_can_be_looked_at_closer(page):
    start(page, "changes")
    page.get_by_role("button", name="Look closer").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not violations(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("radio", name="4", exact=True).check(force=True)
    with page.expect_request("**/answers/") as sent:
        go_on(page)
    assert sent.value.post_data_json["evidence"]["n_zoomed"] == 1


def test_an_answer_can_be_changed_afterwards(page):
    start(page, "changes")
    page.get_by_role("radio", name="4", exact=True).check(force=True)
    go_on(page)
    expect(page.locator(".saved")).to_have_text("✓ Saved")
    page.get_by_role("link", name="Change the previous answer").click()
    expect(page.get_by_role("radio", name="4", exact=True)).to_be_checked()
    assert not violations(page)
    page.get_by_role("radio", name="6", exact=True).check(force=True)
    page.get_by_role("button", name="Save the change").click()
    expect(page.get_by_text("2 of 3").first).to_be_visible()
    shown(page)
    page.get_by_role("link", name="Change the previous answer").click()
    expect(page.get_by_role("radio", name="6", exact=True)).to_be_checked()


def test_every_block_in_german_from_consent_to_the_code(page):
    enter(page, "everything")
    expect(page.get_by_role("heading", name="Was Sie tun werden")).to_be_visible()
    page.get_by_role("button", name="Weiter").click()
    assert not violations(page)
    page.get_by_role("radio", name="Nein").check(force=True)
    page.get_by_role("button", name="Beginnen").click()
    expect(page.get_by_role("alert")).to_contain_text("Nicht jede Antwort war richtig")
    page.get_by_role("radio", name="Ja").check(force=True)
    page.get_by_role("button", name="Beginnen").click()
    expect(page.get_by_role("heading", name="Alle Bilder")).to_be_visible()
    assert page.locator(".gallery img").count() == 3
    assert not violations(page)
    page.get_by_role("button", name="Beginnen").click()
    instructions = 0
    for trial in range(2 + 5):  # practice; three images, a repeat and a check
        if trial == 2:
            expect(page.get_by_text("1 von 5").first).to_be_visible()
        elif trial > 2:
            expect(page.get_by_text(f"{trial - 1} von 5").first).to_be_visible()
        shown(page)
        if page.locator(".instruction").is_visible():
            instructions += 1
            expect(page.locator(".instruction")).to_contain_text("wählen Sie hier 2")
            assert not violations(page)
        page.get_by_role("radio", name="2", exact=True).check(force=True)
        page.get_by_role("radio", name="Creative", exact=True).check(force=True)
        go_on(page)
    expect(page.get_by_role("heading", name="Einige Fragen")).to_be_visible()
    assert instructions == 1
    assert not violations(page)
    no_sideways_scrolling(page)
    page.get_by_role("radio", name="3", exact=True).check(force=True)
    page.get_by_role("button", name="Abschließen").click()
    expect(page.locator("#completion-code")).to_have_text("CODE-everything")
    assert not violations(page)
