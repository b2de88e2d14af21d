"""The plan's page in a real browser: read, drafted and thrown away, on a desktop and a phone."""

from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.studies.factories import PASSWORD

PLAN = "/workspace/studies/browser/plan/"


def test_an_amendment_is_drafted_shown_and_thrown_away(page):
    page.goto(PLAN)
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="The plan", exact=True)).to_be_visible()
    assert not violations(page)
    page.get_by_role("link", name="Amend…").click()
    page.get_by_label("Level α").fill("0.01")
    page.get_by_role("button", name="Save and fix…").click()
    expect(page.get_by_role("heading", name="Amend the plan?")).to_be_visible()
    assert not violations(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Do not fix it").click()
    page.get_by_role("button", name="Throw the draft away").click()
    expect(page.get_by_text("The draft is thrown away.")).to_be_visible()
