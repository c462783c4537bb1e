"""What senders and remote servers write into a log must not reach a terminal or a page as anything but text."""

import pytest

from analysis.report import build
from analysis.report.html import to_html
from analysis.text import visible

EVIL = "<script>alert(1)</script><img src=//evil.test/x>\u202egnp.exe\u200b"
LOG = f"""\
2026-11-05T10:00:00+00:00 mx postfix/smtpd[1]: AAAAA00001: client=mail.partner.example[192.0.2.7]
2026-11-05T10:00:00+00:00 mx postfix/qmgr[3]: AAAAA00001: from=<bob@partner.example>, size=100, nrcpt=1 (queue active)
2026-11-05T10:00:01+00:00 mx postfix/smtp[5]: AAAAA00001: to=<x@two.example>, relay=mx.two.example[192.0.2.9]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, status=bounced (host mx.two.example[192.0.2.9] said: 550 5.7.1 {EVIL} (in reply to RCPT TO command))
"""


@pytest.fixture
def page(ask):
    return to_html(build(ask(LOG)))


def test_the_page_shows_the_reply(page):
    assert "550 5.7.1 &lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("fragment", ["<script", "<img", "\u202e", "\u200b"])
def test_the_page_holds_nothing_active_or_invisible(page, fragment):
    assert fragment not in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mb", "a␛[31mb"),
        ("a\nb\tc", "a␊b␉c"),
        ("abc\u202edef", "abc⟨U+202E⟩def"),
        (chr(0x10FFE9), "\\xe9"),
        ("\x9b", "\\x9b"),
    ],
)
def test_visible_shows_what_would_act(text, shown):
    assert visible(text) == shown
