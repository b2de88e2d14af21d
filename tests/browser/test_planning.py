"""Planning a study in a real browser, with a real worker: asked for, followed, read, changed."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.test_scanning import WORKER, sign_in, sound


def fill_in(page):
    page.get_by_label("Images", exact=True).fill("8, 12")
    page.get_by_label("Ratings of each image").fill("3")
    page.get_by_label("Images that each person rates").fill("6")
    page.get_by_label("Effects to find").fill("2.5")
    page.get_by_label("Points of the scale").fill("3")
    page.get_by_text("Precision, wanted power, analysis and name").click()
    page.get_by_label("Simulated studies of each design").fill("10")


def test_a_plan_is_asked_for_followed_read_and_changed(page, served):
    sign_in(page, "/workspace/")
    page.get_by_role("link", name="Plan a study").click()
    # What only matters with a pilot is there only with one.
    expect(page.get_by_label("Safeguard level, %")).to_be_hidden()
    page.get_by_label("Pilot", exact=False).first.select_option(index=1)
    expect(page.get_by_label("Safeguard level, %")).to_be_visible()
    page.get_by_label("Pilot", exact=False).first.select_option(index=0)
    fill_in(page)
    sound(page)
    page.get_by_role("button", name="Simulate studies").click()
    page.wait_for_url(re.compile(r"/workspace/jobs/\d+/$"))
    served.run(*WORKER)
    page.get_by_role("link", name="See the plan").click()
    expect(page.locator(".sentence").first).to_contain_text("an odds ratio of 12.18 per SD")
    expect(page.locator("[data-figure] svg").first).to_be_visible()
    expect(page.get_by_role("table").first).to_contain_text("Power")
    sound(page)
    page.get_by_role("link", name="Change something and run again").click()
    expect(page.get_by_label("Images", exact=True)).to_have_value("8, 12")
    expect(page.get_by_label("Effects to find")).to_have_value("2.5")
    sound(page)


@pytest.mark.expects_console_errors("422")
def test_what_cannot_be_is_said_at_its_field_and_led_to(page):
    sign_in(page, "/workspace/planning/")
    page.get_by_label("Or shares of the answers").fill("1, none")
    page.get_by_role("button", name="Simulate studies").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was started")
    sound(page)
    page.get_by_role("alert").get_by_role("link", name="Or shares of the answers").click()
    expect(page.get_by_label("Or shares of the answers")).to_be_in_viewport()
    expect(page.get_by_text("“none” is no number.")).to_be_visible()
