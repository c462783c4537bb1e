import bz2
import dataclasses
import gzip
import hashlib
import io
import lzma
import os
import socket
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest import blocks
from ingest.errors import SourceError
from ingest.records import fingerprint
from ingest.sources import Source, chunks, decode, encode, find_sources, find_standing_sources
from ingest.surveys import TAIL_BYTES

LINES = (
    b"Nov 23 19:00:28 mx1 postfix/master[20300]: daemon started -- version 3.7.11, configuration /etc\n"
    b"Nov 23 19:00:31 mx1 postfix/smtpd[20534]: connect from client.sender.test[127.0.9.10]\n"
    b"Nov 23 19:00:31 mx1 postfix/smtpd[20534]: 9F1C5A0E21: client=client.sender.test[127.0.9.10]\n"
)
REPEATED = b"Nov 23 19:00:40 mx1 last message repeated 2 times\n"
COMPRESS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
CODECS = sorted(COMPRESS)


def source_of(path: Path, data: bytes) -> Source:
    path.write_bytes(data)
    [source] = find_sources([str(path)])
    return source


def read(source: Source) -> bytes:
    with source.open() as stream:
        return stream.read()


def names(*paths: object) -> list[str]:
    return [Path(source.name).name for source in find_sources([str(path) for path in paths])]


def log_of(count: int) -> bytes:
    """Lines that do not compress to nothing, on several days."""
    return b"".join(
        b"Nov %2d 19:00:31 mx1 postfix/qmgr[205]: %s: from=<a@sender.test>, size=%d, nrcpt=1 (queue active)\n"
        % (1 + n * 20 // count, hashlib.sha256(b"%d" % n).hexdigest()[:10].encode(), n)
        for n in range(count)
    )


class TestFinding:
    def test_file_is_named_as_the_user_wrote_it(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("mail.log").write_bytes(LINES)
        [source] = find_sources(["./mail.log"])

        assert source.name == "./mail.log"

    def test_directory_is_read_with_what_is_below_it(self, tmp_path):
        (tmp_path / "old/2025").mkdir(parents=True)
        (tmp_path / "mail.log").write_bytes(LINES)
        (tmp_path / "old/2025/mail.log.1").write_bytes(LINES.replace(b"Nov", b"Oct"))

        assert names(tmp_path) == ["mail.log.1", "mail.log"]

    def test_double_star_matches_files_at_any_depth(self, tmp_path):
        (tmp_path / "a/b").mkdir(parents=True)
        (tmp_path / "a/b/mail.log").write_bytes(LINES)

        assert names(tmp_path / "**" / "*.log") == ["mail.log"]

    def test_name_with_glob_signs_that_exists_is_that_file(self, tmp_path):
        (tmp_path / "mail[1].log").write_bytes(LINES)
        (tmp_path / "mail1.log").write_bytes(LINES)

        assert names(tmp_path / "mail[1].log") == ["mail[1].log"]

    def test_directory_passes_over_what_is_clearly_no_log(self, tmp_path):
        (tmp_path / ".mail.log.swp").write_bytes(LINES)
        (tmp_path / ".git").mkdir()
        (tmp_path / ".git/HEAD").write_bytes(LINES)
        (tmp_path / "system.journal").write_bytes(b"LPKSHHRH" + bytes(500))
        (tmp_path / "events.parquet").write_bytes(b"PAR1" + LINES)
        (tmp_path / "wtmp").write_bytes((b"\7\0\0\0\x1a\x06\0\0tty1" + bytes(28) + b"root" + bytes(336)) * 9)
        (tmp_path / "lastlog").write_bytes(bytes(20_000))
        (tmp_path / "backup.tar.gz").write_bytes(
            gzip.compress(b"mail.log".ljust(257, b"\0") + b"ustar" + LINES)
        )
        (tmp_path / "dangling.log").symlink_to("gone.log")
        os.mkfifo(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "s"))
        (tmp_path / "mail.log").write_bytes(LINES)

        assert names(tmp_path) == ["mail.log"]

    def test_log_with_a_hole_of_nuls_at_its_start_is_a_log(self, tmp_path):
        (tmp_path / "mail.log").write_bytes(bytes(20_000) + LINES)

        assert names(tmp_path) == ["mail.log"]

    def test_empty_file_in_a_directory_is_a_source(self, tmp_path):
        (tmp_path / "mail.log").touch()

        assert names(tmp_path) == ["mail.log"]

    def test_file_named_twice_appears_once(self, tmp_path):
        path = tmp_path / "mail.log"
        path.write_bytes(LINES)
        (tmp_path / "hard.log").hardlink_to(path)
        (tmp_path / "soft.log").symlink_to("mail.log")

        assert names(path, tmp_path, tmp_path / "*.log", path) == ["mail.log"]

    def test_linked_directory_is_followed_and_a_loop_ends(self, tmp_path):
        (tmp_path / "data").mkdir()
        (tmp_path / "data/mail.log").write_bytes(LINES)
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs/mail").symlink_to("../data")
        (tmp_path / "data/loop").symlink_to("../logs")

        assert names(tmp_path / "logs") == ["mail.log"]

    def test_rotated_logs_come_in_the_order_of_their_first_stamps(self, tmp_path):
        for name, month in (("mail.log", b"Nov"), ("mail.log.1", b"Oct"), ("mail.log.3.gz", b"Aug")):
            data = LINES.replace(b"Nov", month)
            (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        (tmp_path / "mail.log.2").write_bytes(b"2026-09-01T00:00:00+00:00 mx1 postfix/smtpd[1]: connect\n")
        for path in tmp_path.iterdir():  # copied: all are written at the same time
            os.utime(path, (1795460400, 1795460400))

        assert names(tmp_path) == ["mail.log.3.gz", "mail.log.2", "mail.log.1", "mail.log"]

    def test_order_crosses_new_year(self, tmp_path):
        january, december = tmp_path / "mail.log", tmp_path / "mail.log.1"
        january.write_bytes(LINES.replace(b"Nov 23", b"Jan  4"))
        december.write_bytes(LINES.replace(b"Nov 23", b"Dec 28"))
        for path in (january, december):
            os.utime(path, (1767830400, 1767830400))  # 2026-01-08

        assert names(tmp_path) == ["mail.log.1", "mail.log"]

    def test_logs_without_stamps_come_in_the_order_of_their_modification(self, tmp_path):
        for name, modified in (("a", 300), ("b", 100), ("c", 200)):
            (tmp_path / name).write_text("no stamp\n")
            os.utime(tmp_path / name, (modified, modified))

        assert names(tmp_path) == ["b", "c", "a"]

    def test_a_stamp_in_a_message_says_nothing_of_its_order(self, tmp_path):
        for name, day, modified in (("a", 1, 200), ("b", 9, 100)):
            (tmp_path / name).write_text(f"Received: by mx\nX-At: 2026-11-{day:02}T00:00:00Z\n\n")
            os.utime(tmp_path / name, (modified, modified))

        assert names(tmp_path) == ["b", "a"]

    def test_written_at_is_the_modification_time(self, tmp_path):
        path = tmp_path / "mail.log"
        path.write_bytes(LINES)
        os.utime(path, (1795460400, 1795460400))
        [source] = find_sources([str(path)])

        assert source.written_at == datetime(2026, 11, 23, 19, 0, tzinfo=UTC)

    def test_written_at_of_gzip_is_what_gzip_noted(self, tmp_path):
        source = source_of(tmp_path / "mail.log.gz", gzip.compress(LINES, mtime=1795460400))

        assert source.written_at == datetime(2026, 11, 23, 19, 0, tzinfo=UTC)

    def test_written_at_of_gzip_that_noted_nothing_is_the_modification_time(self, tmp_path):
        source = source_of(tmp_path / "mail.log.gz", gzip.compress(LINES, mtime=0))

        assert source.written_at > datetime.now(UTC) - timedelta(hours=1)

    @pytest.mark.parametrize("data", [LINES, COMPRESS["gzip"](LINES)], ids=["plain", "gzip"])
    def test_stdin_can_be_read_twice(self, monkeypatch, data):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(data)))
        [source] = find_sources(["-", "-"])

        assert (source.name, read(source), read(source)) == ("<stdin>", LINES, LINES)

    def test_copy_of_stdin_is_gone_when_the_process_ends(self):
        code = "from ingest.sources import find_sources; print(find_sources(['-'])[0].path)"
        run = subprocess.run([sys.executable, "-c", code], input=LINES, capture_output=True, check=True)

        assert not Path(run.stdout.decode().strip()).exists()

    def test_named_pipe_is_read_like_stdin(self, tmp_path):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen(["sh", "-c", 'printf "Nov 23 19:00:28 mx1\\n" > "$0"', pipe]):
            [source] = find_sources([str(pipe)])

        assert read(source) == b"Nov 23 19:00:28 mx1\n"


class TestStandingPaths:
    @pytest.fixture
    def log(self, tmp_path):
        (tmp_path / "mail.log").write_bytes(LINES)
        return str(tmp_path / "mail.log")

    def test_a_log_that_was_not_rotated_yet_is_enough(self, log):
        [source], problems = find_standing_sources([log, f"{log}.*"])

        assert (source.name, problems) == (log, [])

    def test_a_file_that_is_gone_is_told_and_the_others_are_found(self, log):
        [source], [problem] = find_standing_sources([f"{log}.gone", log])

        assert (source.name, str(problem).partition(";")[0]) == (
            log,
            f"{log}.gone: No such file or directory",
        )

    def test_patterns_of_which_none_matches_are_told(self, tmp_path):
        found, [problem] = find_standing_sources([str(tmp_path / "mail.log*")])

        assert (found, str(problem).partition(" matches ")[0]) == ([], "no file")

    def test_a_pattern_that_is_typed_must_match(self, log):
        with pytest.raises(SourceError, match="no file matches"):
            find_sources([log, f"{log}.*"])


class TestWrongPaths:
    @pytest.mark.parametrize(
        "path, text",
        [
            ("gone.log", "gone.log: No such file or directory; a file, a directory"),
            ("*.gone", r"no file matches .*\*\.gone; a file, a directory"),
            ("empty", "empty is a directory with 0 files, none of them a log .* name the logs themselves"),
            ("binary", "binary is a directory with 1 files, none of them a log"),
            ("bin*", r"bin\* matches 1 paths, none of them a log"),
            ("mail.log/x", "mail.log/x: Not a directory; a file, a directory"),
            ("dangling.log", "dangling.log is a link to gone.log, which does not exist"),
            ("socket", "socket is a socket or a device"),
            ("binary/system.journal", "is a binary journal; right would be the output of journalctl"),
            ("mail.zip", "is a zip archive; right would be the files in it, unpacked"),
            (
                "shell.log",
                "is text in UTF-16, as PowerShell writes it; right would be the same in UTF-8: iconv",
            ),
        ],
    )
    def test_path_that_cannot_be_read_is_an_error_that_says_what_would_be_right(self, tmp_path, path, text):
        (tmp_path / "empty").mkdir()
        (tmp_path / "binary").mkdir()
        (tmp_path / "binary/system.journal").write_bytes(b"LPKSHHRH" + bytes(500))
        (tmp_path / "mail.log").write_bytes(LINES)
        (tmp_path / "mail.zip").write_bytes(b"PK\3\4")
        (tmp_path / "shell.log").write_text("Nov 23 19:00:28 mx1\n", "utf-16")
        (tmp_path / "dangling.log").symlink_to("gone.log")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.relpath(tmp_path / "socket"))  # such names may have 108 bytes

        with pytest.raises(SourceError, match=text):
            find_sources([str(tmp_path / path)])

    def test_empty_path_is_an_error(self):
        with pytest.raises(SourceError, match="No such file"):
            find_sources([""])

    # The tests may run as root, whom nothing is forbidden: the refusal itself is simulated
    def test_unreadable_file_is_an_error_that_names_a_remedy(self, tmp_path, monkeypatch):
        (tmp_path / "mail.log").write_bytes(LINES)

        def refuse(path, *_args, **_kwargs):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr("ingest.finding.open", refuse, raising=False)

        with pytest.raises(SourceError, match=r"mail\.log: Permission denied; run as a user who may read it"):
            find_sources([str(tmp_path)])

    def test_directory_that_may_not_be_listed_is_an_error(self, tmp_path, monkeypatch):
        def refuse(path):
            raise PermissionError(13, "Permission denied", path)

        monkeypatch.setattr(os, "scandir", refuse)

        with pytest.raises(SourceError, match="Permission denied; run as a user who may read it"):
            find_sources([str(tmp_path)])

    @pytest.mark.parametrize("use", [lambda source: list(chunks(source)), Source.open])
    def test_file_that_vanishes_after_it_was_found_is_an_error(self, tmp_path, use):
        source = source_of(tmp_path / "mail.log", LINES)
        source.path.unlink()

        with pytest.raises(SourceError, match=r"mail\.log has vanished since it was found"):
            use(source)

    def test_directory_in_the_place_of_a_file_is_an_error(self, tmp_path, look):
        source = Source("mail.log", tmp_path, datetime.now(UTC))

        with pytest.raises(SourceError, match=r"mail\.log|Is a directory"):
            look(source)


class TestArchives:
    @pytest.mark.parametrize("codec", CODECS)
    def test_archive_is_recognised_by_its_content(self, tmp_path, codec):
        source = source_of(tmp_path / "mail.log", COMPRESS[codec](LINES))

        assert (source.compression, read(source)) == (codec, LINES)

    def test_plain_text_named_gz_is_plain_text(self, tmp_path):
        source = source_of(tmp_path / "mail.log.gz", LINES)

        assert (source.compression, read(source)) == (None, LINES)

    @pytest.mark.parametrize("codec", CODECS)
    def test_members_that_follow_one_another_are_read_through(self, tmp_path, codec):
        members = [COMPRESS[codec](LINES), COMPRESS[codec](b""), COMPRESS[codec](log_of(500))]
        source = source_of(tmp_path / "mail.log", b"".join(members))

        assert read(source) == LINES + log_of(500)

    @pytest.mark.parametrize("codec", CODECS)
    def test_nuls_that_pad_an_archive_are_no_damage(self, look, tmp_path, codec):
        data = COMPRESS[codec](LINES) + bytes(1024) + COMPRESS[codec](LINES) + bytes(512)
        surveyed = look(source_of(tmp_path / "mail.log", data))

        assert (surveyed.size_bytes, surveyed.damage) == (2 * len(LINES), None)

    def test_zstd_with_a_skippable_frame_first_is_read(self, tmp_path):
        data = b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + COMPRESS["zstd"](LINES)
        source = source_of(tmp_path / "mail.log", data)

        assert read(source) == LINES

    @pytest.mark.parametrize("codec", CODECS)
    def test_empty_archive_has_no_lines(self, look, tmp_path, codec):
        surveyed = look(source_of(tmp_path / "mail.log", COMPRESS[codec](b"")))

        assert (surveyed.size_bytes, surveyed.damage) == (0, None)

    @pytest.mark.parametrize("codec", CODECS)
    @pytest.mark.parametrize("missing", [1, 10, 1000])
    def test_truncated_archive_says_so(self, look, tmp_path, codec, missing):
        archive = COMPRESS[codec](log_of(1000))
        surveyed = look(source_of(tmp_path / "mail.log", archive[:-missing]))

        assert surveyed.damage == (
            f"{codec} data ends too early after {surveyed.size_bytes:,} bytes; lines up to there were kept"
        )

    # bzip2 and zstd give whole blocks, of 900 and 128 kB; gzip and xz give nearly every byte
    @pytest.mark.parametrize("codec, share", [("gzip", 0.85), ("xz", 0.85), ("bzip2", 0.5), ("zstd", 0.7)])
    def test_truncated_archive_gives_what_can_be_decompressed(self, tmp_path, codec, share):
        data = log_of(25_000)
        archive = COMPRESS[codec](data)
        content = read(source_of(tmp_path / "mail.log", archive[: len(archive) * 9 // 10]))

        assert data.startswith(content) and len(content) > share * len(data)  # noqa: PT018

    @pytest.mark.parametrize("codec", CODECS)
    def test_corrupt_archive_gives_the_lines_before_the_damage_and_says_so(self, look, tmp_path, codec):
        archive = bytearray(COMPRESS[codec](log_of(100)) + COMPRESS[codec](log_of(100)))
        archive[len(archive) * 3 // 4] ^= 0xFF
        source = source_of(tmp_path / "mail.log", bytes(archive))
        found = (
            read(source).startswith(log_of(100)),
            f"{codec} data is damaged (" in (look(source).damage or ""),
        )

        assert found == (True, True)

    @pytest.mark.parametrize("codec", CODECS)
    def test_something_else_after_an_archive_is_damage(self, look, tmp_path, codec):
        surveyed = look(source_of(tmp_path / "mail.log", COMPRESS[codec](LINES) + LINES))

        assert (surveyed.size_bytes, "is damaged" in str(surveyed.damage)) == (len(LINES), True)

    @pytest.mark.parametrize("codec", CODECS)
    @given(position=st.floats(0, 0.999), byte=st.integers(1, 255), size=st.sampled_from([50, 1000, 1 << 20]))
    @settings(max_examples=25, deadline=None)
    def test_damage_gives_the_same_bytes_to_every_reader(
        self, look, tmp_path_factory, codec, position, byte, size
    ):
        archive = bytearray(COMPRESS[codec](log_of(200)))
        archive[int(position * len(archive))] ^= byte
        source = source_of(tmp_path_factory.mktemp("damaged") / "mail.log", bytes(archive))
        data = b"".join(chunk.data for chunk in chunks(source, size))
        surveyed = look(source)

        assert (len(data), fingerprint(data[-TAIL_BYTES:])) == (surveyed.size_bytes, surveyed.tail)

    @pytest.mark.parametrize("codec", CODECS)
    def test_bomb_is_read_in_bounded_memory(self, look, tmp_path, codec):
        source = source_of(tmp_path / "mail.log", COMPRESS[codec](bytes(200 << 20)))
        tracemalloc.start()
        surveyed = look(source)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert (surveyed.size_bytes, peak < 150 << 20) == (200 << 20, True)


DATES = [
    (b"Nov 23 19:00:28 mx1\nNov 24 00:00:01 mx1\n", [(1, 11, 23, None), (2, 11, 24, None)]),
    (b"<22>Nov  3 19:00:28 mx1 postfix\n", [(1, 11, 3, None)]),
    (b"Nov 3 19:00:28 mx1 postfix\n", [(1, 11, 3, None)]),
    (b"<22>1 2026-11-23T19:00:28.93+00:00 mx1 postfix 2 - -  x\n", [(1, 11, 23, 2026)]),
    (b"2026-11-23 19:00:28 1abcde-000000-00 Completed\n", [(1, 11, 23, 2026)]),
    ("Απρ 15 12:20:28 mx2\n".encode(), [(1, 4, 15, None)]),
    (b"f\xc3\xa9vr. 15 12:20:28 mx2\n", [(1, 2, 15, None)]),
    (b"Foo 12 19:00:28 mx1\nNov 31 19:00:28 mx1\n2026-13-01 00:00:00 x\n", []),
    (b"\xff\xfe 12 19:00:28 mx1\n", []),
    (b"junk\n\n Nov 23 19:00:28 mx1\nNov 23 19:00:28 mx1", [(4, 11, 23, None)]),
    (
        b"Nov 23 23:59:59 a\nNov 24 00:00:00 b\nNov 23 23:59:59 a\nNov 24 00:00:00 b\n",
        [(1, 11, 23, None), (2, 11, 24, None)],
    ),
    (
        b"Dec 31 23:59:59 a\nJan  1 00:00:00 b\nDec 31 23:59:59 a\n",
        [(1, 12, 31, None), (2, 1, 1, None), (3, 12, 31, None)],
    ),
    (b"Nov 23 19:00:28 a\n2026-11-23T19:00:28Z b\n" * 3, [(1, 11, 23, None), (2, 11, 23, 2026)]),
]


class TestSurvey:
    def test_source_id_is_that_of_the_content_whatever_its_compression(self, tmp_path, look):
        found = {look(source_of(tmp_path / c, COMPRESS[c](LINES))).source_id for c in CODECS}

        assert found == {look(source_of(tmp_path / "plain", LINES)).source_id}

    def test_years_are_found_for_lines_of_several_years(self, tmp_path, cut):
        data = b"".join(LINES.replace(b"Nov 23", day) for day in (b"Dec 30", b"Jan 20", b"Dec 31", b"Jan  1"))
        source = dataclasses.replace(
            source_of(tmp_path / "mail.log", data), written_at=datetime(2026, 1, 1, 20, tzinfo=UTC)
        )
        [(_, years)] = cut(source)

        assert years == ((1, 2024), (4, 2025), (10, 2026))

    def test_year_of_the_user_is_that_of_the_last_line(self, tmp_path, cut):
        [(_, years)] = cut(source_of(tmp_path / "mail.log", LINES), year=2011)

        assert years == ((1, 2011),)

    def test_gzip_of_appended_members_is_dated_by_its_newest(self, tmp_path, cut):
        december = gzip.compress(LINES.replace(b"Nov 23", b"Dec 30"), mtime=1767139200)  # 2025-12-31
        january = gzip.compress(LINES.replace(b"Nov 23", b"Jan  9"), mtime=1768003200)  # 2026-01-10
        [(_, years)] = cut(source_of(tmp_path / "mail.log.gz", december + january))

        assert years == ((1, 2025), (4, 2026))

    def test_json_lines_have_no_years(self, tmp_path, cut):
        line = b'{"@timestamp":"2026-11-23T19:00:28.939955+00:00", "host":"mx1", "message":" starting"}\n'
        [(_, years)] = cut(source_of(tmp_path / "mail.log", line))

        assert years == ()

    @pytest.mark.parametrize("size", [1, 7, 64, 65, 1 << 20])
    @pytest.mark.parametrize("data, expected", DATES)
    def test_date_changes_do_not_depend_on_the_size_of_blocks(self, data, expected, size):
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        found = [(data[:at].count(b"\n") + 1, *date) for at, *date in blocks.date_changes(parts)]

        assert found == expected

    def test_file_of_random_dates_keeps_a_bounded_number_and_the_last(self, tmp_path, look, monkeypatch):
        monkeypatch.setattr("ingest.surveys.MAX_DATES", 10)
        data = b"".join(b"%s 23 19:00:28 mx1\n" % month for month in (b"Nov", b"Feb", b"Aug") * 20)
        dates = look(source_of(tmp_path / "mail.log", data + LINES)).dates

        assert (len(dates), dates[-1][1:3]) == (11, (11, 23))


LOG_LINES = st.lists(
    st.one_of(
        st.sampled_from([REPEATED, LINES, b"\n", b"\r\n"]), st.binary(max_size=30).map(lambda b: b + b"\n")
    ),
    max_size=30,
)


class TestChunks:
    @given(lines=LOG_LINES, tail=st.binary(max_size=20), size=st.integers(1, 600))
    @settings(max_examples=200, deadline=None)
    def test_chunks_are_the_content_in_whole_lines(self, lines, tail, size):
        data = b"".join(lines) + tail
        parts = [data[start : start + size] for start in range(0, len(data), size)]
        found = list(blocks.whole_lines(parts, size))
        first_lines = [1 + data[: data.index(chunk.data)].count(b"\n") for chunk in found[:1]]
        for chunk in found[:-1]:
            first_lines.append(first_lines[-1] + chunk.data.count(b"\n"))

        assert (
            b"".join(chunk.data for chunk in found),
            [chunk.first_line for chunk in found],
            all(chunk.data.endswith(b"\n") for chunk in found[:-1]),
            any(blocks.REPEAT in chunk.data.split(b"\n")[0] for chunk in found[1:]),
        ) == (data, first_lines, True, False)

    def test_repeat_stays_with_the_line_before_it(self, tmp_path):
        source = source_of(tmp_path / "mail.log", LINES + REPEATED * 3 + LINES)
        size = len(LINES) + len(REPEATED)
        [first, *_] = list(chunks(source, size))

        assert first.data == b"".join(LINES.splitlines(keepends=True)[:2])

    def test_file_may_begin_with_a_repeat(self, tmp_path):
        source = source_of(tmp_path / "mail.log", REPEATED + LINES)
        [first, *_] = list(chunks(source, 10))

        assert first.data == REPEATED

    def test_endless_repeats_are_not_held_for_ever(self, tmp_path, monkeypatch):
        monkeypatch.setattr(blocks, "MAX_HELD_BYTES", 10_000)
        source = source_of(tmp_path / "mail.log", LINES + REPEATED * 5_000)
        longest = max(len(chunk.data) for chunk in chunks(source, 1_000))

        assert longest < 30_000

    def test_empty_file_has_no_chunks(self, tmp_path):
        source = source_of(tmp_path / "mail.log", b"")

        assert list(chunks(source)) == []

    def test_last_line_without_newline_is_kept(self, tmp_path):
        source = source_of(tmp_path / "mail.log", LINES[:-1])
        [chunk] = chunks(source)

        assert chunk == (1, LINES[:-1], (), b"")

    def test_line_of_10_mb_is_whole(self, tmp_path):
        source = source_of(tmp_path / "mail.log", LINES + b"x" * 10_000_000 + b"\n" + LINES)
        found = list(chunks(source, 1 << 20))

        assert (b"".join(c.data for c in found), [c for c in found if c.cut_lines]) == (
            source.path.read_bytes(),
            [],
        )

    @pytest.mark.parametrize("size", [1 << 20, 64 << 20])
    def test_line_of_40_mb_is_cut_and_counts_as_one_line(self, tmp_path, size):
        source = source_of(tmp_path / "mail.log", LINES + b"x" * 40_000_000 + b"\n" + LINES)
        found = list(chunks(source, size))
        kept = LINES + b"x" * blocks.MAX_LINE_BYTES + b"\n" + LINES

        assert (
            b"".join(chunk.data for chunk in found) == kept,
            [number for chunk in found for number in chunk.cut_lines],
            [
                chunk.first_line <= 4 <= chunk.first_line + chunk.data.count(b"\n")
                for chunk in found
                if chunk.cut_lines
            ],
            found[-1].first_line + found[-1].data.count(b"\n"),
        ) == (True, [4], [True], 8)

    def test_endless_last_line_is_read_in_bounded_memory(self, tmp_path):
        source = source_of(tmp_path / "mail.log", COMPRESS["zstd"](b"x" * (150 << 20)))
        tracemalloc.start()
        [chunk] = chunks(source, 1 << 20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        assert (len(chunk.data), chunk.cut_lines, peak < 80 << 20) == (blocks.MAX_LINE_BYTES, (1,), True)

    @given(
        st.lists(st.integers(0, 60), max_size=12),
        st.integers(1, 20),
        st.integers(1, 100),
    )
    @settings(deadline=None)
    def test_cut_does_not_depend_on_the_size_of_blocks_and_chunks(self, lengths, block_size, chunk_size):
        limit = 20
        data = b"".join(b"x" * length + b"\n" for length in lengths)
        parts = [data[start : start + block_size] for start in range(0, len(data), block_size)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "MAX_LINE_BYTES", limit)
            found = list(blocks.whole_lines(parts, chunk_size))

        assert (
            b"".join(chunk.data for chunk in found),
            [number for chunk in found for number in chunk.cut_lines],
        ) == (
            b"".join(b"x" * min(length, limit) + b"\n" for length in lengths),
            [number for number, length in enumerate(lengths, 1) if length > limit],
        )

    def test_lines_appended_after_the_survey_are_left_for_the_next_run(self, tmp_path, look):
        source = source_of(tmp_path / "mail.log", LINES)
        surveyed = look(source)
        with source.path.open("ab") as file:
            file.write(LINES)
        [chunk] = chunks(source, upto_bytes=surveyed.size_bytes)

        assert chunk.data == LINES

    def test_file_that_became_shorter_since_the_survey_is_an_error(self, tmp_path, look):
        source = source_of(tmp_path / "mail.log", LINES)
        surveyed = look(source)
        source.path.write_bytes(LINES[:50])

        with pytest.raises(SourceError, match="shorter while it was read"):
            list(chunks(source, upto_bytes=surveyed.size_bytes))


DECODED = [
    (b"", ""),
    (LINES, LINES.decode()),
    ("mx1 from=<jörg@пример.test> 😀".encode(), "mx1 from=<jörg@пример.test> 😀"),
    (b"caf\xe9", "caf\U0010ffe9"),
    (b"a\0b", "a\U0010ff00b"),
    (b"\xed\xa0\x80", "\U0010ffed\U0010ffa0\U0010ff80"),
    (b"\xc0\x80", "\U0010ffc0\U0010ff80"),
    (b"\xe2\x82", "\U0010ffe2\U0010ff82"),
    ("\U0010fe00\U0010feff".encode(), "\U0010fe00\U0010feff"),
    ("\U0010ff41".encode(), "\U0010fff4\U0010ff8f\U0010ffbd\U0010ff81"),
    ("é\U0010ffff\0".encode(), "é\U0010fff4\U0010ff8f\U0010ffbf\U0010ffbf\U0010ff00"),
]


class TestText:
    @pytest.mark.parametrize("data, text", DECODED)
    def test_every_byte_becomes_text_that_parquet_can_hold(self, data, text):
        assert decode(data) == text

    @given(st.binary() | st.text().map(str.encode))
    @example("\U0010ff00".encode())
    @example(b"\xf4\x8f\xbc\x80\xf4\x8f\xbc")
    @example(b"\xe2\xf4\x8f\xbc\x80\x82")
    @settings(max_examples=500, deadline=None)
    def test_bytes_come_back(self, data):
        assert encode(decode(data)) == data

    @given(st.binary() | st.text().map(str.encode))
    @settings(max_examples=300, deadline=None)
    def test_text_has_neither_nul_nor_lone_surrogates(self, data):
        text = decode(data)

        assert "\0" not in text and text.encode() == text.encode("utf-8", "surrogatepass")  # noqa: PT018

    @given(st.lists(st.binary(max_size=10), max_size=5))
    @settings(deadline=None)
    def test_lines_can_be_split_before_or_after_decoding(self, parts):
        data = b"\n".join(parts)

        assert decode(data).split("\n") == [decode(line) for line in data.split(b"\n")]
