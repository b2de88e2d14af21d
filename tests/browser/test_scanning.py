"""Starting a scan and following it in a real browser, with a real worker."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.studies.factories import PASSWORD

WORKER = ("-m", "django", "db_worker", "--batch", "--no-startup-delay", "--verbosity", "0")


def sign_in(page, where):
    page.goto(where)
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def fill_in(page, name, *, layer="decoder.dense1"):
    page.get_by_label("Background", exact=True).select_option(label="Background (80 normal)")
    tested = page.get_by_role("group", name="Sets to scan")
    for each in ("Normal (30 normal)", "Creative (30 creative)"):
        tested.get_by_label(each, exact=True).check()
    page.get_by_role("group", name="Held-out normal sets").get_by_label("Held out").check()
    page.get_by_label("Layer").select_option(layer)
    page.get_by_label("Null groups").fill("19")
    page.get_by_label("Name").fill(name)


def wider_than_the_window(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def sound(page):
    assert not violations(page)
    assert not wider_than_the_window(page)


def test_a_scan_is_started_followed_and_read(page, served):
    name = f"Browser scan {page.viewport_size['width']}"
    sign_in(page, "/workspace/scans/")
    page.get_by_role("link", name="New scan").click()
    page.get_by_text("Restarts, seed and limits").click()
    sound(page)
    expect(page.get_by_label("Name")).to_have_attribute(
        "placeholder", "decoder.dense1, upper tail, Berk–Jones"
    )
    fill_in(page, name)
    page.get_by_role("button", name="Start scan").click()
    page.wait_for_url(re.compile(r"/workspace/jobs/\d+/$"))
    expect(page.get_by_text("Waiting to begin")).to_be_visible()
    sound(page)
    served.run(*WORKER)
    # Without a touch: the page asks, and finds that the scan is made.
    page.get_by_role("link", name="See what it found").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.get_by_text("Of 19 null groups of as many images")).to_be_visible()
    expect(page.locator("[data-figure*='null'] svg").first).to_be_visible()
    sound(page)
    page.locator(".sheet a").first.click()
    expect(page.get_by_text("Calibrated p", exact=True)).to_be_visible()
    sound(page)
    page.goto("/workspace/scans/")
    expect(page.get_by_role("link", name=name)).to_be_visible()
    sound(page)


@pytest.mark.expects_console_errors("422")
def test_what_is_missing_is_said_and_led_to(page):
    sign_in(page, "/workspace/scans/new/")
    page.get_by_role("button", name="Start scan").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was started")
    sound(page)
    page.get_by_role("alert").get_by_role("link", name="Background").click()
    expect(page.get_by_label("Background", exact=True)).to_be_in_viewport()


def test_a_waiting_scan_is_cancelled(page, served):
    sign_in(page, "/workspace/scans/new/")
    fill_in(page, f"Cancelled scan {page.viewport_size['width']}")
    page.get_by_role("button", name="Start scan").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("It was cancelled")).to_be_visible()
    sound(page)
    served.run(*WORKER)
    page.reload()
    expect(page.get_by_text("It was cancelled")).to_be_visible()


def test_without_javascript_the_page_asks_again_by_itself(chromium, server, served):
    context = chromium.new_context(base_url=server, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "/workspace/scans/new/")
    fill_in(page, "Scan without script", layer="pixels")
    page.get_by_role("button", name="Start scan").click()
    page.wait_for_url(re.compile(r"/workspace/jobs/\d+/$"))
    assert page.locator("meta[http-equiv=refresh]").count() == 1
    served.run(*WORKER)
    page.get_by_role("link", name="See what it found").click(timeout=15_000)
    expect(page.get_by_text("Of 19 null groups of as many images")).to_be_visible()
    expect(page.locator("noscript img, .figure img").first).to_be_visible()
    context.close()
