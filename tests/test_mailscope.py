"""The front door, as its users call it: words on stdout, trouble on stderr, exit codes."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mailscope
from analysis.values import to_json

SAMPLE_LOGS = Path(__file__).parents[1] / "sample_logs"
LINE = "2026-11-05T10:00:00+00:00 mx postfix/qmgr[3]: AAAAA00001: removed\n"


def call(*arguments, stdin=""):
    return CliRunner().invoke(mailscope.app, [str(each) for each in arguments], input=stdin)


def run(*arguments, stdin=b""):
    """The installed command, in a process of its own."""
    command = [Path(sys.executable).with_name("mailscope"), *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=120)


@pytest.fixture
def lake(tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(LINE)
    call("ingest", log, "--lake", tmp_path / "lake")
    return tmp_path / "lake"


@pytest.mark.parametrize("words", [("report",), ("sql", "FROM range(100000)")], ids=["tables", "lines"])
def test_a_reader_who_has_seen_enough_is_no_failure(lake, words):
    command = [Path(sys.executable).with_name("mailscope"), *words, "--lake", lake]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (0, b"")


def test_the_version_names_parser_and_lake():
    assert re.fullmatch(r"mailscope \d+\.\d+\.\d+, parser \d+, lake \d+\n", call("--version").stdout)


def test_ingest_says_what_became_of_the_lines(tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(LINE + "\n2026-11-05T10:00:00+00:00 mx sshd[1]: hello\n")

    assert call("ingest", log, "--lake", tmp_path / "lake").stdout == (
        f"{log}: 3 lines, 1 understood, 0 not understood, 1 of other programs, 1 blank\n"
    )


EXIM = "2026-11-05 10:00:00 1vN8qP-0003aB-7k Completed\n"


def hosts_of(lake):
    return call("sql", "SELECT DISTINCT host FROM events", "--lake", lake).stdout.split()[1:]


def test_lines_that_name_no_host_are_this_machines_and_that_is_said(tmp_path):
    (tmp_path / "mainlog").write_text(EXIM)
    done = run("ingest", tmp_path / "mainlog", "--lake", tmp_path / "lake")

    assert (hosts_of(tmp_path / "lake"), b"--host says otherwise" in done.stderr) == (
        [socket.gethostname()],
        True,
    )


def test_lines_that_name_no_host_are_whose_the_user_says(tmp_path):
    (tmp_path / "mainlog").write_text(EXIM)
    done = run("ingest", tmp_path / "mainlog", "--lake", tmp_path / "lake", "--host", "mx9")

    assert (hosts_of(tmp_path / "lake"), done.stderr) == (["mx9"], b"")


def test_a_site_names_the_host_of_a_source(tmp_path):
    (tmp_path / "mainlog").write_text(EXIM)
    site = tmp_path / "mailscope.toml"
    site.write_text(f'lake = "{tmp_path}/lake"\n[[sources]]\npaths = ["{tmp_path}/mainlog"]\nhost = "mx8"\n')
    call("--config", site, "ingest")

    assert hosts_of(tmp_path / "lake") == ["mx8"]


def test_a_log_that_vanishes_is_told_and_the_tables_show_the_others(tmp_path, monkeypatch):
    kept, gone, find = tmp_path / "mail.log", tmp_path / "mail.log.1", mailscope.look_for
    kept.write_text(LINE.replace("removed", "from=<a@example.com>, size=1, nrcpt=1 (queue active)"))
    gone.write_text(LINE.replace("10:00", "09:00"))

    def find_slowly(asked):
        found = find(asked)
        gone.unlink()
        return found

    monkeypatch.setattr(mailscope, "look_for", find_slowly)
    done = call("ingest", tmp_path, "--lake", tmp_path / "lake")
    counted = call("sql", "SELECT count(*) FROM messages", "--lake", tmp_path / "lake").stdout.split()[1:]

    assert (done.exit_code, done.stdout, "mail.log.1 has vanished" in done.stderr, counted) == (
        1,
        f"{kept}: 1 line, 1 understood, 0 not understood, 0 of other programs, 0 blank\n",
        True,
        ["1"],
    )


def test_ingest_of_the_same_file_again_changes_nothing(tmp_path, lake):
    before = {path: path.read_bytes() for path in lake.rglob("events/**/*.parquet")}
    call("ingest", tmp_path / "mail.log", "--lake", lake)

    assert {path: path.read_bytes() for path in lake.rglob("events/**/*.parquet")} == before


def test_a_file_that_has_grown_is_read_on(tmp_path, lake):
    (tmp_path / "mail.log").write_text(LINE + LINE.replace("AAAAA00001", "BBBBB00002"))
    call("ingest", tmp_path / "mail.log", "--lake", lake)

    assert call("sql", "SELECT count(*) AS n FROM events", "--lake", lake).stdout == "n\n2\n"


def test_sql_tells_null_from_an_empty_text(lake):
    assert (
        call("sql", "SELECT NULL::VARCHAR AS a, '' AS b, NULL::BIGINT AS c", "--lake", lake).stdout
        == "a\tb\tc\nNULL\t\tNULL\n"
    )


def test_ingest_of_a_file_without_a_mail_log_fails(tmp_path):
    (tmp_path / "poem.txt").write_text("the moon\n")

    assert call("ingest", tmp_path / "poem.txt", "--lake", tmp_path / "lake").exit_code == 1


def test_a_file_of_other_programs_beside_a_mail_log_is_no_failure(tmp_path):
    (tmp_path / "mail.log").write_text(LINE)
    (tmp_path / "mail.err").write_text("2026-11-05T10:00:00+00:00 mx sshd: auth: Error: out of luck\n")
    done = run("ingest", tmp_path, "--lake", tmp_path / "lake")

    assert (
        done.returncode,
        done.stderr.endswith(b"only lines of other programs; `mailscope coverage` shows them\n"),
    ) == (0, True)


def test_other_programs_alone_are_a_failure(tmp_path):
    (tmp_path / "mail.err").write_text("2026-11-05T10:00:00+00:00 mx sshd: auth: Error: out of luck\n")

    assert call("ingest", tmp_path, "--lake", tmp_path / "lake").exit_code == 1


def test_ingest_reads_stdin(tmp_path):
    done = run("ingest", "-", "--lake", tmp_path / "lake", stdin=LINE.encode())

    assert done.stdout == b"<stdin>: 1 line, 1 understood, 0 not understood, 0 of other programs, 0 blank\n"


def test_a_missing_file_is_one_line_on_stderr_and_exit_code_1(tmp_path):
    done = run("ingest", tmp_path / "nothing.log", "--lake", tmp_path / "lake")

    assert (done.returncode, done.stderr.count(b"\n"), b"nothing.log" in done.stderr) == (1, 1, True)


def test_an_unknown_option_is_exit_code_2():
    assert call("ingest", "--nonsense").exit_code == 2


def test_a_missing_lake_says_how_to_make_one(tmp_path):
    done = run("report", "--lake", tmp_path / "lake")

    assert (done.returncode, b"mailscope ingest" in done.stderr) == (1, True)


def test_an_ingest_that_was_stopped_before_stitching_is_finished_by_the_next(tmp_path, lake):
    shutil.rmtree(lake / "outcomes")
    asked = run("report", "--lake", lake)
    call("ingest", tmp_path / "mail.log", "--lake", lake)

    assert (
        asked.returncode,
        b"the next `mailscope ingest`" in asked.stderr,
        call("report", "--lake", lake).exit_code,
    ) == (1, True, 0)


def test_a_damaged_file_of_the_lake_is_one_line_on_stderr(lake):
    next(lake.glob("messages/**/*.parquet")).write_bytes(b"not Parquet")
    done = run("report", "--lake", lake)

    assert (
        done.returncode,
        done.stderr.startswith(b"mailscope: the lake cannot be read: "),
        done.stderr.count(b"\n"),
    ) == (1, True, 1)


def test_report_begins_with_the_answer(sample_lake):
    assert call("report", "--lake", sample_lake).stdout.startswith("Mail needs attention: ")


def test_report_as_json_holds_the_same_totals_as_the_terminal(sample_lake):
    totals = json.loads(call("report", "--lake", sample_lake, "--json").stdout)["totals"]
    text = call("report", "--lake", sample_lake).stdout

    assert f"{totals['recipients']:>14,}  recipients of these" in text


def test_report_as_html_is_one_page_without_requests(sample_lake, tmp_path):
    call("report", "--lake", sample_lake, "--html", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")

    assert ("<h1>Mail needs attention" in page, "<script" in page, "src=" in page, "href=" in page) == (
        True,
        False,
        False,
        False,
    )


def test_report_of_a_range_without_mail_says_so(sample_lake):
    assert call("report", "--lake", sample_lake, "--since", "2027-01-01").stdout.startswith(
        "No mail in this time."
    )


def test_sources_tell_what_became_of_the_lines(lake):
    [row] = json.loads(call("sources", "--lake", lake, "--json").stdout)

    assert (row["line_count"], row["event_lines"]) == (1, 1)


def test_a_forgotten_source_leaves_no_row(tmp_path, lake):
    (tmp_path / "other.log").write_text(LINE.replace("AAAAA00001", "BBBBB00002"))
    call("ingest", tmp_path / "other.log", "--lake", lake)
    held = json.loads(call("sources", "--lake", lake, "--json").stdout)
    call("forget", next(row["source_id"] for row in held if row["name"].endswith("mail.log")), "--lake", lake)

    assert (
        call("sql", "SELECT DISTINCT queue_id FROM events", "--lake", lake).stdout == "queue_id\nBBBBB00002\n"
    )


def test_a_source_is_forgotten_by_its_name(tmp_path, lake):
    told = call("forget", tmp_path / "mail.log", "--lake", lake).stdout

    assert (told, json.loads(call("sources", "--lake", lake, "--json").stdout)) == (
        f"{tmp_path / 'mail.log'}: forgotten, with 1 line\n",
        [],
    )


@pytest.fixture
def lake_with_mail(tmp_path, lake):
    (tmp_path / "one.eml").write_text(
        "Received: by mx1.example.org (Postfix) id 3F1A2B3C; Mon, 2 Nov 2020 10:00:00 +0000\nSubject: one\n\n"
    )
    call("ingest", tmp_path / "one.eml", "--lake", lake)
    return lake


def test_sources_tell_where_messages_came_from(tmp_path, lake_with_mail):
    *_, mail = json.loads(call("sources", "--lake", lake_with_mail, "--json").stdout)

    assert mail == {"name": str(tmp_path / "one.eml"), "files": 1, "messages": 1}


def test_a_file_of_messages_is_forgotten_by_its_name(tmp_path, lake_with_mail):
    told = call("forget", tmp_path / "one.eml", "--lake", lake_with_mail).stdout

    assert (told, call("sql", "SELECT count(*) n FROM hops", "--lake", lake_with_mail).stdout) == (
        f"{tmp_path / 'one.eml'}: forgotten, with 1 message that no other file has\n",
        "n\n0\n",
    )


def test_reparse_reads_messages_by_their_received_headers(tmp_path, lake_with_mail):
    told = call("reparse", tmp_path / "one.eml", "--lake", lake_with_mail).stdout

    assert told.splitlines() == [
        f"{tmp_path / 'one.eml'}: 1 message by Received headers, 0 read otherwise than before",
        "other headers of messages are not in the lake: `mailscope forget` and `mailscope ingest` read them anew",
    ]


def test_reparse_tells_of_messages_and_logs_as_json(lake_with_mail):
    _, mail = json.loads(call("reparse", "--lake", lake_with_mail, "--json").stdout)

    assert mail == {"name": "messages", "messages": 1, "changed_messages": 0, "wordless_messages": 0}


def test_prune_takes_messages_with_the_tables(lake_with_mail):
    call("prune", "--older-than", "1y", "--lake", lake_with_mail)

    assert call("sql", "SELECT count(*) n FROM emails", "--lake", lake_with_mail).stdout == "n\n0\n"


def test_repair_forgets_messages_whose_rows_are_lost(lake_with_mail):
    next((lake_with_mail / "hops").glob("*.parquet")).unlink()

    assert b"1 message forgotten" in run("doctor", "--repair", "--lake", lake_with_mail).stderr


def test_reparse_says_what_is_understood_now(tmp_path, lake):
    assert call("reparse", "--lake", lake).stdout == (
        f"{tmp_path / 'mail.log'}: 1 line understood, 1 before; 0 not\n"
    )


def test_reparse_is_followed_by_stitching(lake):
    before = call("sql", "FROM messages ORDER BY ALL", "--lake", lake).stdout
    call("reparse", "--lake", lake)

    assert (
        call("sql", "FROM messages ORDER BY ALL", "--lake", lake).stdout,
        call("doctor", "--lake", lake).exit_code,
    ) == (
        before,
        0,
    )


def test_lines_of_a_grown_file_are_told_as_more(tmp_path, lake):
    (tmp_path / "mail.log").write_text(LINE + LINE)

    assert ": 1 more line, 1 understood" in call("ingest", tmp_path / "mail.log", "--lake", lake).stdout


def test_new_lines_of_other_programs_in_a_known_file_are_no_failure(tmp_path, lake):
    (tmp_path / "mail.log").write_text(LINE + "2026-11-05T10:00:00+00:00 mx sshd[1]: hello\n")

    assert call("ingest", tmp_path / "mail.log", "--lake", lake).exit_code == 0


def test_an_open_last_line_shows_in_sources(tmp_path, lake):
    (tmp_path / "mail.log").write_text(LINE + LINE.rstrip())
    call("ingest", tmp_path / "mail.log", "--lake", lake)
    [row] = json.loads(call("sources", "--lake", lake, "--json").stdout)

    assert row["state"] == "last line incomplete"


@pytest.mark.parametrize(
    "state, words",
    [
        ('{"schema_version": 99, "last_commit": 1, "dirty_at": null}', b"newer mailscope"),
        (None, b"older mailscope"),
    ],
)
def test_a_lake_of_another_version_is_not_read(lake, state, words):
    (lake / ".state.json").write_text(state) if state else (lake / ".state.json").unlink()
    done = run("report", "--lake", lake)

    assert (done.returncode, words in done.stderr, done.stderr.count(b"\n")) == (1, True, 1)


def test_what_analysis_knows_of_the_ledger_is_made_anew_where_it_is_missing(tmp_path, lake):
    (lake / ".state.json").unlink()
    call("ingest", tmp_path / "mail.log", "--lake", lake)

    assert call("report", "--lake", lake).exit_code == 0


def test_doctor_of_a_sound_lake_is_content(lake):
    done = call("doctor", "--lake", lake, "--json")

    assert (done.exit_code, all(each["is_sound"] for each in json.loads(done.stdout))) == (0, True)


def test_doctor_says_what_to_do_about_a_damaged_file_and_repairs(tmp_path, lake):
    next(lake.glob("events/**/*.parquet")).write_bytes(b"not Parquet")
    examined, repaired = run("doctor", "--lake", lake), run("doctor", "--repair", "--lake", lake)
    call("ingest", tmp_path / "mail.log", "--lake", lake)

    assert (
        examined.returncode,
        b"--repair" in examined.stdout,
        repaired.returncode,
        b"mail.log" in repaired.stderr,
        call("sql", "SELECT count(*) AS n FROM events", "--lake", lake).stdout,
    ) == (1, True, 0, True, "n\n1\n")


def test_a_partition_that_is_gone_is_told_at_the_next_ingest(tmp_path, lake):
    shutil.rmtree(lake / "events/family=queue")
    done = run("ingest", tmp_path / "mail.log", "--lake", lake)

    assert (done.returncode, b"gone" in done.stderr, b"`mailscope doctor`" in done.stderr) == (0, True, True)


def test_forgetting_what_is_not_there_is_an_error(lake):
    done = run("forget", "0123456789abcdef", "--lake", lake)

    assert (done.returncode, b"`mailscope sources`" in done.stderr) == (1, True)


def test_coverage_passes_where_all_is_understood(sample_lake):
    assert call("coverage", "--lake", sample_lake).exit_code == 0


def test_coverage_fails_under_99_percent(tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(LINE + "2026-11-05T10:00:00+00:00 mx postfix/smtp[3]: the moon is blue\n")
    call("ingest", log, "--lake", tmp_path / "lake")

    assert call("coverage", "--lake", tmp_path / "lake").exit_code == 1


def test_trace_finds_a_message_by_its_recipient(sample_lake):
    assert "Read as address" in call("trace", "h.brandt@megamail.example", "--lake", sample_lake).stdout


def test_trace_of_nothing_is_exit_code_1(sample_lake):
    assert call("trace", "nobody@nowhere.invalid", "--lake", sample_lake).exit_code == 1


def test_explain_names_the_fields_of_a_line():
    done = run("explain", "--json", stdin=LINE.encode())

    assert json.loads(done.stdout)["fields"]["queue_id"] == "AAAAA00001"


def test_sql_reads_the_lake(sample_lake):
    assert call("sql", "SELECT count(*) AS n FROM sources", "--lake", sample_lake).stdout == "n\n5\n"


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT * FROM read_text('/etc/passwd')",
        "DROP VIEW messages",
        "SELECT 1; SELECT 2",
    ],
)
def test_sql_does_nothing_but_read_the_lake(lake, statement):
    done = run("sql", statement, "--lake", lake)

    assert (done.returncode, done.stdout) == (1, b"")


def test_a_terminal_gets_no_control_characters_from_a_log(tmp_path):
    log = tmp_path / "mail.log"
    log.write_text(LINE.replace("removed", "\x1b[2Jevil"))
    call("ingest", log, "--lake", tmp_path / "lake")

    assert "\x1b" not in call("coverage", "--lake", tmp_path / "lake").stdout


def test_demo_ingests_the_sample_and_prints_the_report(tmp_path):
    done = call("demo", "--no-dashboard", "--lake", tmp_path / "lake")

    assert (done.exit_code, "Problems, worst first" in done.stdout) == (0, True)


def test_json_has_moments_in_iso_8601(sample_connection):
    rows = (
        sample_connection.sql("SELECT min(accepted_at) AS first FROM messages").to_arrow_table().to_pylist()
    )

    assert json.loads(to_json(rows)) == [{"first": "2026-11-02T00:39:36+00:00"}]


TOML = """
timezone = "UTC"
[own]
domains = ["example.org"]
networks = ["203.0.113.0/24"]
[[sources]]
paths = ["mail.log", "mail.log.*"]
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MAILSCOPE_LAKE", raising=False)
    (tmp_path / "mail.log").write_bytes(
        (Path(__file__).parents[1] / "sample_logs/out1/mail.log").read_bytes()
    )
    (tmp_path / "mailscope.toml").write_text(TOML)
    return tmp_path


def test_cron_runs_ingest_bare(site):
    done = call("ingest")

    assert (done.exit_code, " 0 not understood" in done.stdout, (site / "lake").is_dir()) == (0, True, True)


def test_a_source_that_is_gone_does_not_keep_the_others_out(site):
    (site / "mailscope.toml").write_text(TOML + '[[sources]]\npaths = ["gone.log"]\n')
    done = run("ingest")

    assert (done.returncode, done.stdout[:10], done.stderr.partition(b";")[0]) == (
        1,
        b"mail.log: ",
        b"mailscope: gone.log: No such file or directory",
    )


def test_ingest_without_anything_to_read_says_what_would_be_right(site):
    (site / "mailscope.toml").unlink()

    assert b"write [[sources]] with paths" in run("ingest").stderr


def test_config_shows_values_and_origins(site):
    lines = call("config", "--lake", "elsewhere").stdout.splitlines()

    assert [line.split() for line in lines if line.startswith(("lake", "timezone", "format", "sources"))] == [
        ["lake", "elsewhere", "--lake"],
        ["timezone", "UTC", "mailscope.toml"],
        ["format", "auto", "default"],
        ["sources", "mail.log", "mail.log.*"],
    ]


def test_config_is_told_as_json_too(site):
    told = json.loads(call("config", "--json").stdout)

    assert told["settings"]["own.domains"] == {"value": ["example.org"], "origin": "mailscope.toml"}


def test_a_mistake_in_the_config_is_one_line_on_stderr(site):
    (site / "mailscope.toml").write_text("laek = 'x'")

    assert run("report").stderr.decode() == (
        "mailscope: mailscope.toml: unknown key 'laek'; the nearest known one is 'lake'\n"
    )


def test_another_config_is_named_before_the_command(site):
    (site / "other.toml").write_text('lake = "other"')

    assert "other.toml" in call("--config", "other.toml", "config").stdout.splitlines()[0]


def test_what_the_site_owns_decides_the_direction(site):
    call("ingest")
    directions = (
        "SELECT DISTINCT direction FROM deliveries WHERE recipient_domain = 'example.org' AND NOT is_handoff"
    )
    found = set(call("sql", directions).stdout.split()) - {"direction"}

    assert found <= {"inbound", "internal"} != set()


def test_prune_without_a_span_says_how_to_give_one(site):
    call("ingest")

    assert b"give --older-than 90d" in run("prune").stderr


def test_prune_takes_its_spans_from_the_site(site):
    call("ingest")
    with (site / "mailscope.toml").open("a") as file:
        file.write('[retention]\ntext = "1d"\n')

    assert re.fullmatch(r"text before \d{4}-\d\d-\d\d: [\d.]+ k?B freed\n", call("prune").stdout)


LOG = (
    "2026-11-02T10:00:00+00:00 mx1 postfix/smtpd[5]: 3F1A2B3C4D: client=out.example.com[203.0.113.7]\n"
    "2026-11-02T10:15:02+00:00 mx1 postfix/smtp[8]: 3F1A2B3C4D: to=<b@example.net>, relay=box.example.net[192.0.2.9]:25, "
    "delay=902, delays=0.1/900/0.9/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n"
    "2026-11-02T10:15:02+00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed\n"
)
SENT = (
    "Received: from mx1.example.org by box.example.net with LMTP id qKx3; Mon, 2 Nov 2026 10:15:02 +0000\n"
    "Received: from out.example.com by mx1.example.org (Postfix) with ESMTP id 3F1A2B3C4D; Mon, 2 Nov 2026 10:00:00 +0000\n\n"
)


def test_headers_of_a_message_stand_beside_what_the_log_has_of_it(tmp_path):
    (tmp_path / "mail.log").write_text(LOG)
    (tmp_path / "one.eml").write_text(SENT)
    call("ingest", str(tmp_path / "mail.log"), "--lake", str(tmp_path / "lake"))
    told = json.loads(
        call("headers", str(tmp_path / "one.eml"), "--lake", str(tmp_path / "lake"), "--json").stdout
    )
    log = told["way"]["steps"][0]["log"]

    assert (told["way"]["verdict"], log["in_queue_s"], log["reply"]) == (
        "You kept it for 15 min 02 s, they for under a second",
        900.0,
        "250 2.0.0 Ok",
    )


def test_columns_of_hops_can_be_asked_for_in_sql(tmp_path):
    (tmp_path / "one.eml").write_text(SENT)
    call("ingest", str(tmp_path / "one.eml"), "--lake", str(tmp_path / "lake"))
    result = call(
        "sql",
        "SELECT delay_s, skew_s, is_internal FROM hops ORDER BY hop",
        "--lake",
        str(tmp_path / "lake"),
        "--json",
    )

    assert json.loads(result.stdout) == [
        {"delay_s": None, "skew_s": 0.0, "is_internal": False},
        {"delay_s": 902.0, "skew_s": 0.0, "is_internal": True},
    ]


def test_what_explains_the_way_is_said(tmp_path):
    message = f"{SENT[:-1]}DKIM-Signature: v=1; d=example.com; s=s1\nList-Id: Cooks <cooks.example.net>\nX-Spam-Score: 7\n\n"
    told = call("headers", "-", stdin=message).stdout

    assert (
        "Signed by example.com (s1), as the message says\nMailing list: Cooks <cooks.example.net>\nSpam score: 7\n"
        in told
    )


def test_a_site_may_keep_subjects_out_of_its_lake(tmp_path):
    (tmp_path / "one.eml").write_text(f"Subject: secret\n{SENT}")
    (tmp_path / "mailscope.toml").write_text("[headers]\nsubjects = false\n")
    call("--config", tmp_path / "mailscope.toml", "ingest", tmp_path / "one.eml", "--lake", tmp_path / "lake")
    result = call("sql", "SELECT hop_count, subject FROM emails", "--lake", tmp_path / "lake", "--json")

    assert json.loads(result.stdout) == [{"hop_count": 2, "subject": None}]


def test_a_rejectlog_is_a_log_and_a_source_of_headers(tmp_path):
    (tmp_path / "rejectlog").write_text(
        "2026-11-02 10:00:01 1xVZCp-0005Lf-2z H=a.example [192.0.2.9] F=<a@b.example> rejected after DATA: no\n"
        "Envelope-from: <a@b.example>\nP Received: from a.example ([192.0.2.9])\n\tby mx2.example.org;\n"
        "\tMon, 02 Nov 2026 10:00:01 +0000\n  Subject: one\n"
    )
    result = call(
        "ingest", str(tmp_path / "rejectlog"), "--lake", str(tmp_path / "lake"), "--host", "mx2", "--json"
    )
    as_log, as_mail = json.loads(result.stdout)

    assert (as_log["event_lines"], as_mail["messages"], as_mail["hops"]) == (1, 1, 1)


def test_headers_of_a_message_from_stdin_are_told():
    message = (
        "Received: by mx1.example.org (Postfix) with ESMTP id 3F1A2B3C4D; Mon, 2 Nov 2026 10:00:01 +0000\n\n"
    )
    result = call("headers", "-", stdin=message)

    assert "3F1A2B3C4D" in result.stdout
