"""A message without a file, kept by the rules of the site and of its lake."""

import re

import pyarrow.parquet as pq
import pytest

from ingest.errors import LakeError
from ingest.headers.intake import ingest_messages
from ingest.headers.keeping import MailSource, mail_sources
from ingest.headers.pasted import keep_pasted
from ingest.lake import Lake
from ingest.pseudonyms import Pseudonyms
from ingest.sources import find_sources

PASTED = (
    b"Received: from pc (pc.example.com [203.0.113.7]) by mx1.example.org (Postfix) with ESMTP id 3F1A2B3C4D\n"
    b"\tfor <eva@example.org>; Mon, 2 Nov 2026 10:00:00 +0000\nFrom: Eva <eva@example.com>\nSubject: one\n"
)


@pytest.fixture
def site(tmp_path):
    """The site's file, a lake with a message in it, and the key of its pseudonyms where it has these."""

    def site(text="", key=None):
        (tmp_path / "mailscope.toml").write_text(text)
        (tmp_path / "one.eml").write_bytes(PASTED.replace(b"3F1A", b"4F1A"))
        ingest_messages(Lake(tmp_path / "lake"), find_sources([str(tmp_path / "one.eml")]), key)
        return tmp_path / "lake", tmp_path / "mailscope.toml"

    return site


def write_key(path):
    path.write_bytes(b"k" * 32)
    path.chmod(0o600)


def column(lake, name):
    return [row[name] for row in pq.read_table(lake / "emails").to_pylist()]


def test_each_pasted_text_has_a_name_in_one_folder(site):
    lake, config = site()
    for data in (PASTED, PASTED + b"X-Other: 1\n"):
        keep_pasted(lake, data, config)
    with Lake(lake).ledger_to_read() as ledger:
        held = mail_sources(ledger)

    assert held[-1] == MailSource("<dashboard>", 2, 2)


def test_a_site_that_keeps_no_subjects_keeps_none_of_these(site):
    lake, config = site("[headers]\nsubjects = false\n")
    keep_pasted(lake, PASTED, config)

    assert sorted(map(str, column(lake, "subject"))) == ["None", "one"]


def test_with_the_key_of_the_site_people_get_their_pseudonyms(site, tmp_path):
    write_key(tmp_path / "key")
    made = Pseudonyms.of_file(tmp_path / "key", domains=False, keep_networks=False)
    lake, config = site(f"[pseudonymise]\nkey_file = '{tmp_path / 'key'}'\n", made)
    kept = keep_pasted(lake, PASTED, config)

    assert (kept.new_messages, re.search(r"\beva\b", str(pq.read_table(lake / "hops").to_pylist()))) == (
        1,
        None,
    )


def test_a_lake_of_people_takes_none_with_pseudonyms(site, tmp_path):
    write_key(tmp_path / "key")
    lake, config = site(f"[pseudonymise]\nkey_file = '{tmp_path / 'key'}'\n")

    with pytest.raises(LakeError, match="holds real names"):
        keep_pasted(lake, PASTED, config)


def test_what_is_no_lake_does_not_become_one(tmp_path):
    (tmp_path / "mailscope.toml").write_text("")

    with pytest.raises(LakeError, match="is no lake"):
        keep_pasted(tmp_path / "lake", PASTED, tmp_path / "mailscope.toml")
