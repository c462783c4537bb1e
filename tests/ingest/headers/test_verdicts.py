"""What servers say of a message's origin."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.headers.messages import read_block
from ingest.headers.verdicts import (
    Signature,
    Verdict,
    _scanned_sections,
    _sections,
    read_signatures,
    read_verdicts,
)


def verdicts(*lines):
    return read_verdicts(read_block("".join(f"{line}\n" for line in lines).encode() + b"\n"))


def test_every_method_of_every_header_has_its_server():
    found = verdicts(
        "Authentication-Results: mx1.example.org; spf=pass (sender SPF; authorized) smtp.mailfrom=news@example.com;",
        "\tdkim=pass (2048-bit key) header.d=example.com header.s=s1 header.b=abc;",
        '\tdkim=fail reason="bad signature" header.d=lists.example.net; dmarc=pass header.from=example.com',
        "Authentication-Results: evil.example; dmarc=pass header.from=bank.example",
    )

    assert found == [
        Verdict("authentication-results", "mx1.example.org", None, "spf", "pass", "example.com"),
        Verdict("authentication-results", "mx1.example.org", None, "dkim", "pass", "example.com", "s1"),
        Verdict(
            "authentication-results",
            "mx1.example.org",
            None,
            "dkim",
            "fail",
            "lists.example.net",
            None,
            "bad signature",
        ),
        Verdict("authentication-results", "mx1.example.org", None, "dmarc", "pass", "example.com"),
        Verdict("authentication-results", "evil.example", None, "dmarc", "pass", "bank.example"),
    ]


def test_a_server_that_checked_nothing_says_nothing():
    assert verdicts("Authentication-Results: mx1.example.org 1; none") == []


def test_arc_results_carry_their_instance_and_the_seal_the_state_of_the_chain():
    found = verdicts(
        "ARC-Seal: i=2; a=rsa-sha256; cv=pass; d=lists.example.net; s=arc1; b=abc",
        "ARC-Authentication-Results: i=1; mx1.example.org; spf=softfail smtp.mailfrom=example.com",
    )

    assert found == [
        Verdict("arc-seal", None, 2, "arc", "pass", "lists.example.net", "arc1"),
        Verdict("arc-authentication-results", "mx1.example.org", 1, "spf", "softfail", "example.com"),
    ]


def test_received_spf_names_its_receiver():
    found = verdicts(
        "Received-SPF: softfail (mx1.example.org: domain of transitioning news@example.com) client-ip=192.0.2.4;",
        " envelope-from=news@example.com; receiver=mx1.example.org",
    )

    assert found == [Verdict("received-spf", "mx1.example.org", None, "spf", "softfail", "example.com")]


def test_a_verdict_knows_how_many_received_headers_stand_above_it():
    found = verdicts(
        "Received: by mx1.example.org; Mon, 2 Nov 2026 10:00:01 +0000",
        "Authentication-Results: mx1.example.org; dmarc=pass header.from=bank.example",
    )

    assert [verdict.received_above for verdict in found] == [1]


def test_each_signature_names_its_domain_and_selector():
    block = read_block(
        b"DKIM-Signature: v=1; d=example.com;\n s=s1; b=abc\n =\nDKIM-Signature: v=1; s=x; d=esp.example\n\n"
    )

    assert read_signatures(block) == [Signature("example.com", "s1"), Signature("esp.example", "x")]


@given(st.text('ab=;. ()"\\<>[]\n\x85', max_size=60))
@example("a;b (c;d) e;(f(g;)h);i")
@example("(" * 9_000)
def test_sections_are_the_same_sooner_told(text):
    assert list(_sections(text)) == list(
        _scanned_sections(" ".join(text.split()).replace(" =", "=").replace("= ", "="))
    )


@pytest.mark.parametrize(
    ("value", "domain"),
    [
        ("v=1; d=Example.com; s=a", "Example.com"),
        ("d = ex\n\tample.com ;s=a", "example.com"),
        ("x=d=no.example; s=a; b=d", None),
        ("d=one.example; d=two.example", "two.example"),
        ("D=no.example", None),
    ],
)
def test_a_signature_names_its_domain(value, domain):
    block = read_block(f"DKIM-Signature: {value}\n\n".encode())

    assert read_signatures(block)[0].domain == domain
