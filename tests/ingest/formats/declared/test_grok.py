"""Grok becomes templates, or is refused with the place and the reason."""

import pytest

from ingest.formats.declared.grok import BASE, templates
from ingest.readable import is_readable
from ingest.schema import Kind
from ingest.shapes import ShapeError, check, compile_shape


def fields(pattern, text):
    """What a pattern reads in a text, or None."""
    for template, constants in templates(pattern):
        check(template)
        shape = compile_shape(Kind.SERVER, template, constants)
        found = shape.match(text)
        if found:
            return dict(zip(shape.columns, found.groups() + shape.constants, strict=True))
    return None


@pytest.mark.parametrize(
    "pattern, text, found",
    [
        ("%{IP:client_ip} %{WORD:action}", "192.0.2.1 sent_on", {"client_ip": "192.0.2.1", "action": "sent_on"}),
        ("delay=%{NUMBER:delay_s:float};", "delay=1.25;", {"delay_s": "1.25"}),
        ("size=%{NUMBER:size_bytes:int}", "size=12", {"size_bytes": "12"}),
        ("from=<%{DATA:sender}>", "from=<>", {"sender": ""}),
        ("<%{NOTSPACE:queue_id}>", "<a-1>", {"queue_id": "a-1"}),
        ("(?<queue_id>[0-9A-F]{5,12}): x", "0A1B2C: x", {"queue_id": "0A1B2C"}),
        (r"(?<uid>\d+) \(ok\)\s*", "12 (ok)  ", {"uid": "12"}),
        ("a(?: b=%{INT:uid})?c", "a b=7c", {"uid": "7"}),
        ("a(?: b=%{INT:uid})?c", "ac", {"uid": None}),
        ("(?<status>Sent|Deferred): %{GREEDYDATA:reply}", "Deferred: later", {"status": "Deferred", "reply": "later"}),
        ("x(?:foo|bar|)y", "xy", {}),
        (r"^%{QS:reply} \[%{IPORHOST:client_name}\]$", '"a b" [mx.example.net]', {"reply": "a b", "client_name": "mx.example.net"}),
        ("id ?= ?%{WORD:queue_id}", "id =A1", {"queue_id": "A1"}),
        ("%{EMAILADDRESS:sender}: ok", "alice@example.org: ok", {"sender": "alice@example.org"}),
    ],
)  # fmt: skip
def test_pattern_reads(pattern, text, found):
    read = fields(pattern, text)

    assert read == found


def test_pattern_takes_the_whole_message():
    assert fields("%{WORD:action}", "sent and more") is None


@pytest.mark.parametrize(
    "pattern, problem",
    [
        ("(a+)+", "character 1"),
        ("x(?:a)*", "a repeated group could backtrack"),
        ("x(?=a)", "look-around and the like could backtrack"),
        ("x(?!a)", "look-around and the like could backtrack"),
        ("%{FOO:x}", "no base pattern 'FOO'"),
        ("%{IP:x:ip}", "no type 'ip'; there are int"),
        (r"a\b", r"of the escapes there are \d \w \s"),
        (r"(?<x>a)\1", r"of the escapes there are"),
        ("a[b", "a [ is not closed"),
        ("(?:a", "a group is not closed"),
        ("a)", "a ) closes no group"),
        ("*a", "repeats nothing"),
        ("a^b", "^ and $ stand at the ends"),
        ("(?<x>a%{IP})", "would be one class"),
        ("(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)(?:a|b)", "more than 64 alternatives"),
    ],
)
def test_what_could_backtrack_or_is_unknown_is_refused(pattern, problem):
    with pytest.raises(ShapeError) as error:
        templates(pattern)

    assert problem in str(error.value)


def test_greedy_data_in_the_middle_is_refused():
    [(template, _)] = templates("%{GREEDYDATA:reply} and %{WORD:action}")

    assert not is_readable(template)


@pytest.mark.parametrize("name", BASE)
def test_each_base_pattern_is_a_class(name):
    [(template, _)] = templates(f"a%{{{name}:reason}}!")

    assert "{reason:" in template
