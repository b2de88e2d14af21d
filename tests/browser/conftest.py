"""A real server with its own data, and a real Chromium.

Where there is no Chromium the tests here are skipped and say so; MUSESCAN_CHROMIUM names one
that is not on the path.
"""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.served import Served

CHROMIUM = os.environ.get("MUSESCAN_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SIZES = {"desktop": (1280, 800), "phone": (360, 740)}


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip(reason="no Chromium on the path or in MUSESCAN_CHROMIUM")
                )


@pytest.fixture(scope="session")
def served(tmp_path_factory, collected_static):
    """A served study, with everything as in production."""
    made = Served(tmp_path_factory.mktemp("served"), static=collected_static)
    made.run("-m", "tests.browser.build_entries")
    made.run("-m", "tests.browser.build_study")
    made.run("-m", "tests.browser.build_modes")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def server(served):
    """The address of the served study."""
    return served.address


@pytest.fixture(scope="module")
def chromium():
    # Not for the session: while Playwright is there, its event loop runs in this thread, and
    # Django refuses to ask the database in the tests that happen to come next.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=SIZES)
def page(chromium, server, request):
    """A page of a fresh visitor, desktop and phone; the test fails on any console error."""
    width, height = SIZES[request.param]
    context = chromium.new_context(
        base_url=server,
        viewport={"width": width, "height": height},
        has_touch=request.param == "phone",
        is_mobile=request.param == "phone",
    )
    page = context.new_page()
    errors: list[str] = []
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            errors.append(f"asked a third party: {asked.url}")
            if not asked.url.startswith((server, "data:", "blob:"))
            else None
        ),
    )
    yield page
    context.close()
    expected = [
        word
        for marker in request.node.iter_markers("expects_console_errors")
        for word in marker.args
    ]
    surprising = [error for error in errors if not any(word in error for word in expected)]
    assert not surprising, surprising
