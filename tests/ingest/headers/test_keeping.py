"""Messages leave the lake with their file, with their age, or with a lost file of the lake; and come back or stay away."""

import shutil
from datetime import date

import pyarrow.parquet as pq
import pytest

from ingest.compaction import compact
from ingest.doctor import examine, repair_mail
from ingest.errors import SourceError
from ingest.headers.intake import ingest_messages
from ingest.headers.keeping import MailSource, find_held, forget_mail, mail_sources
from ingest.lake import Lake
from ingest.prune import prune_emails, prune_text
from ingest.sources import find_sources


def message(number, received=True, sent="Mon, 2 Nov 2026 10:00:00 +0000"):
    hop = f"Received: by mx1.example.org (Postfix) id 3F1A2B3C; Mon, {number} Nov 2026 10:00:00 +0000\n"
    return (
        f"{hop if received else ''}Date: {sent}\nSubject: s{number}\nMessage-ID: <{number}@example.org>\n\n"
    )


@pytest.fixture
def lake(tmp_path):
    """A Maildir with messages of the 1st, 2nd and 3rd, and a mailbox with the 3rd and 4th."""
    (tmp_path / "Maildir/cur").mkdir(parents=True)
    for number in (1, 2, 3):
        (tmp_path / f"Maildir/cur/{number}.M1:2,S").write_text(message(number))
    box = "".join(f"From a@example.org Mon Nov  2 10:00:00 2026\n{message(n)}\n" for n in (3, 4))
    (tmp_path / "box").write_text(box)
    return take(Lake(tmp_path / "lake"), tmp_path / "Maildir", tmp_path / "box")


def take(lake, *paths):
    ingest_messages(lake, find_sources([str(path) for path in paths]))
    return lake


def held(lake, table="emails", column="message_id"):
    """The numbers of messages, or what a column has of them."""
    files = sorted((lake.path / table).glob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file, partitioning=None).to_pylist()]
    return sorted(row[column].removesuffix("@example.org>").lstrip("<") for row in rows if row[column])


def forgotten(lake, name):
    with lake.ledger() as ledger:
        return forget_mail(lake, ledger, str(name))


def pruned(lake, prune, day):
    with lake.ledger() as ledger:
        return prune(lake, ledger, date(2026, 11, day))


def test_a_maildir_is_one_source_and_a_mailbox_another(tmp_path, lake):
    with lake.ledger_to_read() as ledger:
        assert mail_sources(ledger) == [
            MailSource(str(tmp_path / "Maildir"), 3, 3),
            MailSource(str(tmp_path / "box"), 1, 2),
        ]


def test_a_message_leaves_with_the_last_file_that_has_it(tmp_path, lake):
    left = []
    for name in ("Maildir/", "box"):
        forgotten(lake, f"{tmp_path}/{name}")
        left.append(held(lake))

    assert left == [["3", "4"], []]


def test_its_hops_leave_with_it(tmp_path, lake):
    forgotten(lake, tmp_path / "Maildir")

    assert set(held(lake, "hops", "email_id")) == set(held(lake, "emails", "email_id"))


def test_one_message_of_a_maildir_can_be_forgotten(tmp_path, lake):
    forgotten(lake, tmp_path / "Maildir/cur/1.M1:2,S")

    assert held(lake) == ["2", "3", "4"]


def test_a_folder_whose_name_begins_alike_is_another(tmp_path, lake):
    assert forgotten(lake, tmp_path / "Mail") == 0


def test_messages_in_merged_files_are_forgotten_alone(tmp_path, lake):
    for number in range(5, 16):
        (tmp_path / f"{number}.eml").write_text(message(number))
        take(lake, tmp_path / f"{number}.eml")
    compact(lake, 99)
    forgotten(lake, tmp_path / "7.eml")

    assert held(lake) == sorted(str(number) for number in range(1, 16) if number != 7)


def test_a_forgotten_file_can_be_ingested_again(tmp_path, lake):
    forgotten(lake, tmp_path / "Maildir")
    take(lake, tmp_path / "Maildir")

    assert held(lake) == ["1", "2", "3", "4"]


def test_words_that_mean_no_log_and_no_message_are_an_error(lake):
    with lake.ledger_to_read() as ledger, pytest.raises(SourceError, match="`mailscope sources`"):
        find_held(ledger, "nothing")


@pytest.mark.parametrize("table", ["emails", "hops"])
def test_days_before_a_day_are_thrown_away(lake, table):
    pruned(lake, prune_emails, 3)

    assert len(held(lake, table, "email_id")) == 2


def test_what_was_thrown_away_stays_away(tmp_path, lake):
    pruned(lake, prune_emails, 3)
    shutil.copytree(tmp_path / "Maildir", tmp_path / "copy")
    take(lake, tmp_path / "copy")

    assert held(lake) == ["3", "4"]


def test_text_goes_sooner_and_the_row_stays(lake):
    pruned(lake, prune_text, 3)

    assert (
        held(lake, "emails", "subject"),
        len(held(lake, "hops", "raw")),
        len(held(lake, "hops", "email_id")),
    ) == (
        ["s3", "s4"],
        2,
        4,
    )


def test_text_that_is_gone_is_not_written_anew(lake):
    pruned(lake, prune_text, 3)
    before = sorted(lake.path.glob("hops/*"))
    pruned(lake, prune_text, 3)

    assert sorted(lake.path.glob("hops/*")) == before


@pytest.mark.parametrize("sent", ["Mon, 2 Nov 2099 10:00:00 +0000", "yesterday"])
def test_a_message_without_a_likely_date_is_as_old_as_its_ingest(tmp_path, sent):
    (tmp_path / "one.eml").write_text(message(1, received=False, sent=sent))
    lake = take(Lake(tmp_path / "lake"), tmp_path / "one.eml")
    left = []
    for year in (2020, 2098):
        with lake.ledger() as ledger:
            prune_emails(lake, ledger, date(year, 1, 1))
        left.append(held(lake))

    assert left == [["1"], []]


@pytest.mark.parametrize("table", ["emails", "hops"])
def test_messages_that_lost_rows_are_read_again_after_a_repair(tmp_path, lake, table):
    take(lake, tmp_path / "box")
    [part] = (lake.path / table).glob("*.parquet")
    part.unlink()
    lost = repair_mail(lake)
    take(lake, tmp_path / "Maildir", tmp_path / "box")

    assert (lost, held(lake), len(held(lake, "hops", "email_id"))) == (4, ["1", "2", "3", "4"], 4)


def test_the_doctor_finds_a_lake_well_after_a_forget(tmp_path, lake):
    forgotten(lake, tmp_path / "box")

    assert all(finding.is_sound for finding in examine(lake) if finding.check != "space")
