"""The results page in a real browser: a dot shows its image, by pointer and by keyboard."""

from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.studies.factories import PASSWORD


def test_a_dot_shows_its_image_and_enter_opens_its_page(page):
    # By name: as soon as other tests here have rated as people, theirs are shown first.
    page.goto("/workspace/studies/browser/results/?raters=simulated")
    page.fill("input[name=username]", "ada")
    page.fill("input[name=password]", PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("nothing here was said by people").first).to_be_visible()
    dots = page.locator("svg .mark-symbol path[tabindex]")
    expect(dots.first).to_be_attached()
    reader = page.locator("[data-reader]").first
    picture = reader.locator("img")
    # A drawing that is laid out anew under a resting pointer hears of it when it moves again.
    for _ in range(20):
        dots.nth(3).hover(force=True)
        if picture.count():
            break
        page.mouse.move(0, 0)
        page.wait_for_timeout(250)
    expect(picture).to_be_visible()
    assert picture.evaluate("img => img.decode().then(() => img.naturalWidth)") == 28
    assert not violations(page)
    page.locator("svg .mark-symbol path[tabindex='0']").first.focus()
    shown = picture.get_attribute("src")
    page.keyboard.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", shown)
    chosen = picture.get_attribute("src").removesuffix("/file")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{chosen}/**")
    expect(page.get_by_text("Its anomalous subset at").first).to_be_visible()
