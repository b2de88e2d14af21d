"""A real server with its own data, and a real Chromium.

Where there is no Chromium the tests here are skipped and say so; MUSESCAN_CHROMIUM names one
that is not on the path.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of a served study, with everything as in production."""
    environment = {
        **os.environ,
        "MUSESCAN_DATA_DIR": str(tmp_path_factory.mktemp("served")),
        "DJANGO_SETTINGS_MODULE": "studies.settings",
        "PYTHONPATH": str(ROOT),
    }
    environment.pop("MUSESCAN_DATABASE_URL", None)

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("manage.py", "migrate", "-v0")
    run("manage.py", "collectstatic", "-v0", "--no-input")
    run("-m", "tests.browser.build_entries")
    run("-m", "tests.browser.build_study")
    run("-m", "tests.browser.build_modes")
    port = free_port()
    arguments = ["--interface", "wsgi", "--port", str(port), "--blocking-threads", "4"]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", *arguments, "studies.wsgi:application"],
        cwd=ROOT,
        env=environment,
    )
    address = f"http://localhost:{port}"
    try:
        wait_for(f"{address}/healthz", process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def wait_for(address: str, process: subprocess.Popen) -> None:
    for _ in range(150):
        assert process.poll() is None, "the server stopped"
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{address} did not answer")


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
