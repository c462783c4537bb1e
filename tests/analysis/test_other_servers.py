"""Messages, deliveries and outcomes of servers that are declared: sendmail to one line a recipient."""

import json
from datetime import UTC
from pathlib import Path

import pytest

from analysis import metrics
from analysis.stitch import stitch
from analysis.values import records
from analysis.warehouse import open_lake
from ingest.lake import Lake
from ingest.parsing import Settings
from ingest.reader import ingest_sources
from ingest.sources import find_sources

PANEL = str(Path(__file__).parents[1] / "ingest/formats/declared/panel.toml")
KUMO = {
    "sender": "a@example.org",
    "peer_address": {"name": "mx.example.net.", "addr": "198.51.100.7"},
    "size": 900,
}


def ingest(lake, file, text, format_name="auto"):
    file.write_text(text, "utf-8")
    ingest_sources(Lake(lake), find_sources([str(file)]), Settings(UTC, format_name=format_name, host="h1"))
    stitch(lake)


@pytest.fixture
def made(tmp_path):
    """A lake of some text, and rows of it."""

    def make(text, query, format_name="auto"):
        ingest(tmp_path / "lake", tmp_path / "x.log", text, format_name)
        with open_lake(tmp_path / "lake") as connection:
            return connection.sql(query).fetchall()

    return make


OUTCOMES = "SELECT sender, recipient, outcome, attempts FROM outcomes ORDER BY ALL"
MESSAGES = "SELECT sender, size_bytes, client_ip, message_id, state FROM messages ORDER BY ALL"


def panel(second, queue_id, word, recipient="b@example.net"):
    return (
        f"[05-Nov-2026 10:00:0{second} +0000]: <{queue_id}> User a@example.org sent to {recipient}: {word}\n"
    )


class TestOneLineARecipient:
    def test_line_is_message_delivery_and_outcome(self, made):
        found = made(panel(1, "7", "OK"), OUTCOMES, PANEL)

        assert found == [("a@example.org", "b@example.net", "delivered", 1)]

    def test_delivery_has_the_sender(self, made):
        found = made(panel(1, "7", "OK"), "SELECT sender, status, is_final FROM deliveries", PANEL)

        assert found == [("a@example.org", "sent", True)]

    def test_recipients_of_one_id_are_one_message(self, made):
        text = panel(1, "7", "OK") + panel(2, "7", "Bounced", "c@example.net")
        found = made(
            text, "SELECT count(*), any_value(state), any_value(accepted_at)::VARCHAR FROM messages", PANEL
        )

        assert found == [(1, "removed", "2026-11-05 10:00:01+00")]

    def test_settled_message_is_not_carried_on(self, made, tmp_path):
        made(panel(1, "7", "OK"), OUTCOMES, PANEL)
        later = panel(1, "8", "OK").replace("05-Nov", "07-Nov")
        ingest(tmp_path / "lake", tmp_path / "y.log", later, PANEL)
        carried = max((tmp_path / "lake/.stitch/carry").glob("*"))
        with open_lake(tmp_path / "lake") as connection:
            ids = connection.sql(f"SELECT queue_id FROM '{carried}/delivery.parquet'").fetchall()

        assert ids == [("8",)]


def kumo(kind, second, queue_id="A", recipient="b@example.net", **more):
    record = {
        **KUMO,
        "type": kind,
        "id": queue_id,
        "recipient": recipient,
        "timestamp": 1793872800 + second,
        **more,
    }
    return json.dumps(record) + "\n"


class TestKumo:
    def test_message_is_tried_until_it_is_delivered(self, made):
        text = (
            kumo("Reception", 0, peer_address={"name": "c.example.org", "addr": "192.0.2.9"})
            + kumo("TransientFailure", 1, response={"code": 451, "content": "later"})
            + kumo("Delivery", 600, response={"code": 250, "content": "ok"})
        )

        assert made(text, OUTCOMES) == [("a@example.org", "b@example.net", "delivered", 2)]

    def test_message_has_what_its_reception_says(self, made):
        text = kumo("Reception", 0, peer_address={"name": "c.example.org", "addr": "192.0.2.9"}) + kumo(
            "Expiration", 9
        )

        assert made(text, MESSAGES) == [("a@example.org", 900, "192.0.2.9", None, "removed")]

    def test_expired_is_an_outcome(self, made):
        assert made(kumo("Expiration", 9), OUTCOMES) == [("a@example.org", "b@example.net", "expired", 1)]

    def test_rejection_is_a_refusal(self, made):
        text = kumo("Rejection", 0, response={"code": 550, "content": "5.7.1 no", "command": "RCPT TO"})

        assert made(text, "SELECT action, smtp_code, recipient FROM rejections") == [
            ("reject", "550", "b@example.net")
        ]


def test_powermta_retries_of_a_recipient_are_one_outcome(made):
    text = (
        "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag\n"
        "t,2026-11-05 10:00:01+0000,2026-11-05 10:00:00+0000,a@example.org,b@example.net,4.2.2,smtp;452 4.2.2 full\n"
        "d,2026-11-05 10:10:01+0000,2026-11-05 10:00:00+0000,a@example.org,b@example.net,2.0.0,smtp;250 2.0.0 ok\n"
    )

    assert made(text, OUTCOMES) == [("a@example.org", "b@example.net", "delivered", 2)]


def test_ses_bounce_of_two_recipients(made):
    text = json.dumps(
        {
            "eventType": "Bounce",
            "mail": {"messageId": "m", "source": "A <a@example.org>", "timestamp": "2026-11-05T10:00:00Z"},
            "bounce": {
                "bounceType": "Permanent",
                "timestamp": "2026-11-05T10:00:01Z",
                "bouncedRecipients": [{"emailAddress": "b@example.net"}, {"emailAddress": "c@example.net"}],
            },
        }
    )

    assert made(text + "\n", OUTCOMES) == [
        ("a@example.org", "b@example.net", "bounced", 1),
        ("a@example.org", "c@example.net", "bounced", 1),
    ]


def test_exchange_message_is_followed_by_its_internal_id(made):
    text = (
        "#Software: Microsoft Exchange Server\n"
        "#Fields: date-time,client-ip,source,event-id,internal-message-id,message-id,recipient-address,recipient-status,total-bytes,recipient-count,return-path\n"
        "2026-11-05T10:00:00.000Z,192.0.2.9,SMTP,RECEIVE,7,<m@example.org>,b@example.net;c@example.net,,900,2,a@example.org\n"
        "2026-11-05T10:00:01.000Z,,SMTP,SEND,7,<m@example.org>,b@example.net;c@example.net,250 2.1.5 ok,900,2,a@example.org\n"
    )

    assert made(text, MESSAGES) == [("a@example.org", 900, "192.0.2.9", "<m@example.org>", "removed")]


SENDMAIL = (
    "2026-11-05T10:00:00+00:00 mx1 sm-mta[41]: 6A5901aB004101: from=<a@example.org>, size=900, class=0, nrcpts=2, msgid=<m@example.org>, proto=ESMTP, daemon=MTA, relay=c.example.org [192.0.2.9]\n"
    "2026-11-05T10:00:02+00:00 mx1 sm-mta[43]: 6A5901aB004101: to=<b@example.net>, delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.net. [198.51.100.7], dsn=2.0.0, stat=Sent (ok)\n"
    "2026-11-05T10:00:03+00:00 mx1 sm-mta[43]: 6A5901aB004101: to=<c@example.net>, delay=00:00:03, xdelay=00:00:01, mailer=esmtp, pri=1, relay=mx.example.net. [198.51.100.7], dsn=5.1.1, stat=User unknown\n"
)


class TestSendmail:
    def test_outcomes_are_those_of_the_recipients(self, made):
        assert made(SENDMAIL, OUTCOMES) == [
            ("a@example.org", "b@example.net", "delivered", 1),
            ("a@example.org", "c@example.net", "bounced", 1),
        ]

    def test_message_is_done_when_its_recipients_are(self, made):
        assert made(SENDMAIL, MESSAGES) == [("a@example.org", 900, "192.0.2.9", "<m@example.org>", "removed")]

    def test_recipient_that_was_not_tried_is_queued(self, made):
        assert made("".join(SENDMAIL.splitlines(True)[:2]), OUTCOMES) == [
            ("a@example.org", "b@example.net", "delivered", 1),
            ("a@example.org", None, "queued", 0),
        ]


def test_opensmtpd_message_is_the_first_half_of_its_envelope(made):
    text = (
        "2026-11-05T10:00:00+00:00 mx1 smtpd[5]: 5e3f1a2b4c5d6e7f smtp message msgid=1a2b3c4d size=900 nrcpt=1 proto=ESMTP\n"
        "2026-11-05T10:00:00+00:00 mx1 smtpd[5]: 5e3f1a2b4c5d6e7f smtp envelope evpid=1a2b3c4d0a0b0c0d from=<a@example.org> to=<b@example.net>\n"
        '2026-11-05T10:00:01+00:00 mx1 smtpd[5]: 0000000000000000 mta delivery evpid=1a2b3c4d0a0b0c0d from=<a@example.org> to=<b@example.net> rcpt=<-> source="192.0.2.1" relay="198.51.100.7 (mx.example.net)" delay=1s result="TempFail" stat="451 later"\n'
    )

    assert made(text, OUTCOMES) == [("a@example.org", "b@example.net", "deferred", 1)]


class TestQmail:
    LOG = (
        "@400000006aec53aa00000000 info msg 7: bytes 900 from <a@example.org> qp 1 uid 2\n"
        "@400000006aec53aa00000001 starting delivery 1: msg 7 to remote b@example.net\n"
        "@400000006aec53aa00000002 starting delivery 2: msg 7 to remote c@example.net\n"
        "@400000006aec53ab00000000 delivery 2: failure: 198.51.100.7_does_not_like_recipient./Remote_host_said:_550_no/\n"
        "@400000006aec53ac00000000 delivery 1: success: 198.51.100.7_accepted_message./Remote_host_said:_250_ok/\n"
        "@400000006aec53ac00000001 end msg 7\n"
    )

    def test_results_are_put_together_with_their_starts(self, made):
        assert made(self.LOG, OUTCOMES) == [
            ("a@example.org", "b@example.net", "delivered", 1),
            ("a@example.org", "c@example.net", "bounced", 1),
        ]

    def test_reply_is_what_the_other_server_said(self, made):
        found = made(self.LOG, "SELECT relay_ip, smtp_code, reply FROM deliveries WHERE status = 'bounced'")

        assert found == [("198.51.100.7", "550", "550 no")]

    def test_number_that_is_used_again_is_of_the_last_start(self, made):
        again = (
            self.LOG.replace("aec53", "aec63")
            .replace("msg 7", "msg 8")
            .replace("@example.net", "@example.com")
        )

        assert [row[1:3] for row in made(self.LOG + again, OUTCOMES)] == [
            ("b@example.com", "delivered"),
            ("b@example.net", "delivered"),
            ("c@example.com", "bounced"),
            ("c@example.net", "bounced"),
        ]


def lmtp(*dovecot, reply="250 2.0.0 <eva@example.org> IkiQ Saved"):
    head, user = "2026-11-05T10:00:0", "dovecot: lmtp(eva@example.org)<4102><IkiQ>:"
    return (
        f"{head}0+00:00 mx1 postfix/smtpd[1]: AAAAA1: client=mx.example.net[198.51.100.7]\n"
        f"{head}0+00:00 mx1 postfix/qmgr[3]: AAAAA1: from=<a@example.net>, size=900, nrcpt=1 (queue active)\n"
        + "".join(f"{head}1+00:00 mx1 {user} {text}\n" for text in dovecot)
        + f"{head}1+00:00 mx1 postfix/lmtp[4]: AAAAA1: to=<eva@example.org>, relay=mx1[private/dovecot-lmtp], delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent ({reply})\n"
        f"{head}1+00:00 mx1 postfix/qmgr[3]: AAAAA1: removed\n"
    )


SAVED = "msgid=<m@example.net>: saved mail to INBOX"
STORED = "sieve: msgid=<m@example.net>: stored mail into mailbox 'Lists'"
DISCARDED = "sieve: msgid=<m@example.net>: marked message to be discarded if not explicitly delivered (discard action)"


class TestDovecot:
    @pytest.mark.parametrize(
        "lines, outcome",
        [
            ((SAVED,), "delivered"),
            ((STORED,), "delivered"),
            ((DISCARDED,), "discarded"),
            ((DISCARDED, STORED), "delivered"),
            ((), "delivered"),
        ],
    )
    def test_what_sieve_did_with_it_is_the_outcome(self, made, lines, outcome):
        assert made(lmtp(*lines), OUTCOMES) == [("a@example.net", "eva@example.org", outcome, 1)]

    def test_session_of_another_message_says_nothing(self, made):
        text = lmtp(DISCARDED, reply="250 2.0.0 <eva@example.org> Other Saved")

        assert made(text, OUTCOMES) == [("a@example.net", "eva@example.org", "delivered", 1)]

    def test_its_line_may_come_in_another_file(self, made, tmp_path):
        lines = lmtp(DISCARDED).splitlines(keepends=True)
        made("".join(lines[:2] + lines[3:]), OUTCOMES)
        ingest(tmp_path / "lake", tmp_path / "dovecot.log", lines[2])
        with open_lake(tmp_path / "lake") as connection:
            found = connection.sql("SELECT outcome FROM outcomes").fetchall()

        assert found == [("discarded",)]

    def test_mailbox_line_is_no_delivery_of_its_own(self, made):
        assert made(lmtp(SAVED), "SELECT count(*) FROM deliveries") == [(1,)]


def test_load_test_is_no_traffic(made):
    text = "timeStamp,elapsed,label,success\n1793872800123,42,SMTP send,true\n"

    assert made(text, "SELECT count(*) FROM messages") == [(0,)]


SERVED = """\
Nov  5 10:00:00 mx1 postfix/smtpd[5]: 3F1A2B3C4D: client=lg1.example.org[192.0.2.10]
Nov  5 10:00:00 mx1 postfix/cleanup[6]: 3F1A2B3C4D: message-id=<t@example.org>
Nov  5 10:00:00 mx1 postfix/qmgr[7]: 3F1A2B3C4D: from=<t@example.org>, size=900, nrcpt=1 (queue active)
Nov  5 10:00:02 mx1 postfix/smtp[8]: 3F1A2B3C4D: to=<b@example.net>, relay=mx.example.net[198.51.100.7]:25, delay=1.5, delays=0.1/0/0.4/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
Nov  5 10:00:02 mx1 postfix/qmgr[7]: 3F1A2B3C4D: removed
"""


def test_load_test_stands_beside_what_the_server_logged(tmp_path):
    ingest(
        tmp_path / "lake",
        tmp_path / "test.jtl",
        "timeStamp,elapsed,label,success\n1793872800123,42,SMTP send,true\n",
    )
    ingest(tmp_path / "lake", tmp_path / "mail.log", SERVED)
    with open_lake(tmp_path / "lake") as connection:
        [minute] = records(metrics.run(connection, "load_test"))

    assert [minute[name] for name in ("transactions", "accepted", "p95_delay_s")] == [1, 1, 1.5]
