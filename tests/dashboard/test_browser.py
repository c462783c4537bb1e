"""The dashboard as a postmaster sees it: the real server, a real browser."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
# Streamlit asks for two addresses below a page's own path that are not there; Vega speaks up before data come.
EXPECTED = re.compile(r"status of 404|Infinite extent|Log scale domain|Conflicting scale property")


@pytest.fixture(scope="module")
def address(hostile_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server over the hostile lake, started from a directory that is not the project's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = f"from pathlib import Path; from dashboard.launch import serve; serve(Path({str(hostile_lake)!r}), {port})"
    folder = tmp_path_factory.mktemp("elsewhere")
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", start],
            cwd=folder,
            stdout=log,
            stderr=log,
            env=os.environ | {"HOME": str(folder)},
        )
        try:
            _wait(f"http://127.0.0.1:{port}/healthz")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(10)


def _wait(url: str) -> None:
    for _ in range(150):
        try:
            with urllib.request.urlopen(url) as answer:  # noqa: S310  # our own server
                answer.read()
                return
        except urllib.error.URLError:
            time.sleep(0.2)
    raise TimeoutError(url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


class Visit:
    """A page, and what it did that it should not."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.foreign: list[str] = []
        self.dialogs: list[str] = []
        self.complaints: list[str] = []
        page.on("request", self._request)
        page.on("dialog", self._dialog)
        page.on("console", self._console)

    def _request(self, request: object) -> None:
        url = request.url  # type: ignore[attr-defined]
        if not url.startswith((self.address, "data:", "blob:")):
            self.foreign.append(url)

    def _dialog(self, dialog: object) -> None:
        self.dialogs.append(dialog.message)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    def _console(self, message: object) -> None:
        if message.type in ("error", "warning") and not EXPECTED.search(message.text):  # type: ignore[attr-defined]
            self.complaints.append(message.text)  # type: ignore[attr-defined]

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)
        self.page.wait_for_selector("h1")
        self.settle()

    def settle(self) -> None:
        """The script is finished, no skeleton is left, nothing is greyed out."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
        self.page.wait_for_function(
            """() => !document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')"""
        )


@pytest.fixture(params=("light", "dark"))
def visit(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    page = browser.new_page(color_scheme=request.param, timezone_id="Europe/Berlin")
    yield Visit(page, address)
    page.close()


def test_hostile_logs_load_nothing_run_nothing_and_open_no_dialog(visit: Visit) -> None:
    visit.open("/?range=all")
    visit.open("/trace?q=good.example")
    visit.page.get_by_text("Raw lines").click()
    visit.page.get_by_text("postfix/smtpd[101]").first.wait_for()
    visit.settle()

    assert (visit.foreign, visit.dialogs, visit.complaints) == ([], [], [])


def test_from_a_problem_to_the_story_of_its_mail(visit: Visit) -> None:
    visit.open("/?range=all")
    visit.page.get_by_role("link", name="Its mail in Trace").first.click()
    visit.page.wait_for_url("**/trace?**")
    visit.page.get_by_role("heading", name="What happened").wait_for()

    assert visit.page.locator("ol.story li").count() >= 3


def test_the_page_is_not_wider_than_a_telephone(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 800})
    visit.open("/trace?q=good.example")

    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_server_forbids_what_is_not_its_own(address: str) -> None:
    with urllib.request.urlopen(address) as answer:  # noqa: S310  # our own server
        policy = answer.headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy


def test_a_name_that_is_not_loopback_gets_no_connection(address: str) -> None:
    """DNS rebinding: a page of evil.example whose name points here must not read the log."""
    host = address.removeprefix("http://")
    name, port = host.split(":")
    with socket.create_connection((name, int(port))) as connection:
        connection.sendall(
            b"GET /_stcore/stream HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: streamlit\r\n\r\n"
        )
        answer = connection.recv(100)

    assert b" 403 " in answer
