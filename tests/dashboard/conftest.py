"""A page in a test, and a lake whose every text tries to break out of its place."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboard

APP = Path(dashboard.__file__).with_name("app.py")
MARK = "HOSTILE"  # stands in every hostile text, so that a test can find where it came out
HOSTILE = (
    f"{MARK} <script>alert(1)</script><img src=https://evil.example/a.png onerror=alert(2)>",
    f"{MARK} ![pixel](https://evil.example/b.png) [link](https://evil.example/c)",
    f"{MARK} <style>body{{display:none}}</style><iframe src=https://evil.example/d></iframe>",
    f"{MARK} :red[warning] :material/lock: $\\\\alpha$ `code` # heading | table | https://evil.example/e",
    f"{MARK} \N{RIGHT-TO-LEFT OVERRIDE}gnp.exe\N{POP DIRECTIONAL FORMATTING} \x1b[31mred\x1b[0m \N{ZERO WIDTH SPACE}",
    f"=cmd|' /C calc'!A0 {MARK}",
)


@pytest.fixture(scope="session")
def hostile_lake(make_lake: Callable[[str], Path]) -> Path:
    return make_lake(
        "".join(_message(number, HOSTILE[number % len(HOSTILE)]) for number in range(30)) + _refusals()
    )


def _message(number: int, text: str) -> str:
    clock, queue_id = f"2026-11-05T10:{number:02}", f"3AFA743E{number:02}"
    user = text.replace(",", "").replace("\\", "")
    return (
        f"{clock}:00.000000+00:00 mx1 postfix/smtpd[101]: {queue_id}: client=evil.example[192.0.2.66], sasl_method=PLAIN, sasl_username={user}\n"
        f"{clock}:00.100000+00:00 mx1 postfix/cleanup[102]: {queue_id}: message-id=<{text}@evil.example>\n"
        f"{clock}:00.200000+00:00 mx1 postfix/qmgr[103]: {queue_id}: from=<{text}@evil.example>, size=1000, nrcpt=1 (queue active)\n"
        f"{clock}:01.000000+00:00 mx1 postfix/smtp[104]: {queue_id}: to=<{text}@good.example>, relay=mx.good.example[192.0.2.25]:25, "
        f"delay=1, delays=0.1/0/0.4/0.5, dsn=5.7.1, status=bounced (host mx.good.example[192.0.2.25] said: 550 5.7.1 {text} (in reply to end of DATA command))\n"
        f"{clock}:01.100000+00:00 mx1 postfix/qmgr[103]: {queue_id}: removed\n"
    )


def _refusals() -> str:
    return "".join(
        f"2026-11-05T11:{number:02}:00.000000+00:00 mx1 postfix/smtpd[105]: NOQUEUE: reject: RCPT from evil.example[192.0.2.66]: "
        f"554 5.7.1 <x@good.example>: Recipient address rejected: {text}; from=<x@evil.example> to=<x@good.example> proto=ESMTP helo=<{MARK}>\n"
        for number, text in enumerate(HOSTILE)
    )


OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Runs a page of the dashboard over a lake; keyword arguments are query parameters."""

    def open_page(lake: Path, page: str = "overview", **query: str) -> AppTest:
        monkeypatch.setenv("MAILSCOPE_LAKE", str(lake))
        test = AppTest.from_file(str(APP), default_timeout=30)
        if page != "overview":
            test.switch_page(f"app_pages/{page}.py")
        for name, value in query.items():
            test.query_params[name] = value
        return test.run()

    return open_page
