"""Lines of Exim that say one thing in one wording: a table of patterns, whose groups are the columns.

Wording after Exim 4.76 to 4.99; `DAEMON` and `CLIENT` lines name no message, `MESSAGE` lines stand behind an id.
Patterns are tried in this order at the beginning of the text; none looks ahead of what it takes.
"""

import re
from typing import Final, NamedTuple

from ingest.schema import Kind

# sender_fullhost: verified name, (HELO) if it differs, [address]:port; then I=, U= and the like, as selected.
_HOST: Final = (
    r"(?>(?:(?P<client_name>[^\s()\[\],=]+) )?(?:\((?P<helo>[^\n]*?)\) )?"
    r"\[(?P<client_ip>[0-9A-Za-z.:%]{1,64})\](?::(?P<client_port>[0-9]{1,5}))?)"
)
_FIELDS: Final = r'(?: (?:I|U|Ci|X|CV|SNI|A|D|P|PRX|S)=[^\s:]+(?::[^\s:]+)*| DN="[^"\n]*"| F=<[^<>\n]*>)*'
# What has no address talks to us by a pipe: `-bs`.
_PEER: Final = rf"(?:{_HOST}|(?:U=)?[^\s\[\]()=]+){_FIELDS}"
_RELAY: Final = (
    r"H=(?P<relay_name>[^\s()\[\]=]+) \[(?P<relay_ip>[0-9A-Za-z.:%]{1,64})\](?::(?P<relay_port>[0-9]{1,5}))?"
)


# sa-exim's verdict, which its local_scan() logs. Of the Message-Id it keeps but these characters, so that nobody can
# write the rest of the line.
_SA_EXIM: Final = (
    r"SA: Action: (?P<reply>%s: score=[^|(\n]*?) \([^|\n]*\| Message-Id: [\w.@+-]*\)\. From <(?P<sender>[^<>\n]*)> "
    r"\(host=(?:NULL|(?P<client_name>[^\s()\[\]]+)) \[(?P<client_ip>[0-9A-Za-z.:%%]{1,64})\]\) for [^()\n]*$"
)


class Form(NamedTuple):
    """One wording: the groups of `pattern`, and `constants`, are the columns of an event."""

    kind: Kind
    pattern: re.Pattern[str]
    constants: dict[str, str]


def _form(kind: Kind, pattern: str, **constants: str) -> Form:
    text = pattern.replace("HOST", _HOST).replace("PEER", _PEER).replace("FIELDS", _FIELDS)
    return Form(kind, re.compile(text.replace("REST", r"(?P<reason>.*)"), re.S), constants)


CLIENT: Final = (
    _form(Kind.AUTH_FAILURE, r"(?P<sasl_method>\S{1,64}) authenticator failed for (?:H=)?(?:HOST|U=[^\s:]+)?FIELDS(?: \[[^\]\s]*\])?: (?P<reason>.*?)(?: ?\(set_id=(?P<sasl_username>.*)\))?$"),
    _form(Kind.AUTH_FAILURE, r"(?P<sasl_method>\S{1,64}) authenticator failed for REST"),
    _form(Kind.AUTH_FAILURE, r"(?P<sasl_method>\S{1,64}) authenticator \((?P<stage>[A-Z0-9-]+)\): REST"),
    _form(Kind.CONNECT, r"SMTP connection from PEER \(TCP/IP connection count = [0-9]+\)$"),
    _form(Kind.DISCONNECT, r"SMTP connection from PEER (?P<reason>closed (?:by|after) .*)"),
    _form(Kind.DISCONNECT, r"SMTP connection(?: Ci=\S+)? from PEER (?P<reason>(?:D=\S+ )?closed .*)"),
    _form(Kind.LOST_CONNECTION, r"SMTP connection(?: Ci=\S+)? from PEER (?P<reason>lost.*?)(?: D=\S+)?$"),
    _form(Kind.LOST_CONNECTION, r"SMTP connection lost (?P<reason>after final dot) H=HOST"),
    _form(Kind.LOST_CONNECTION, r"unexpected disconnection while reading SMTP command from PEER", reason="lost connection"),
    _form(Kind.LOST_CONNECTION, r"SMTP command timeout on (?:TLS )?connection from PEER", reason="timeout"),
    _form(Kind.LOST_CONNECTION, r"SMTP data timeout \(message abandoned\) on (?:TLS )?connection from PEER", reason="timeout", stage="DATA"),
    _form(Kind.LOST_CONNECTION, r"SMTP call from PEER dropped: REST"),
    _form(Kind.LOST_CONNECTION, r"SMTP protocol violation: (?P<reason>.*?): PEER"),
    _form(Kind.CLIENT_NOTE, r"no MAIL in (?:TLS )?SMTP connection from PEER(?: C=(?P<stage>[A-Z,.]+))?", reason="no mail"),
    _form(Kind.TLS_FAILURE, r"TLS error on (?:SMTP )?connection from PEER:? ?REST"),
    _form(Kind.TLS_OUT_FAILURE, r"TLS error on (?:SMTP )?connection to (?P<relay_name>[^\s\[\]]+) \[(?P<relay_ip>[0-9A-Za-z.:%]+)\](?::(?P<relay_port>[0-9]{1,5}))?:? ?REST"),
    _form(Kind.TLS_OUT_FAILURE, r"TLS session: (?P<reason>.*?)(?: to (?:H=)?(?P<relay_name>[^\s\[\]]+) \[(?P<relay_ip>[0-9A-Za-z.:%]+)\].*)?$"),
    _form(Kind.RATE_LIMIT, r"Connection from PEER refused: REST"),
    _form(Kind.RATE_LIMIT, r"connection from PEER (?P<reason>refused.*)"),
    _form(Kind.CLIENT_NOTE, r"SMTP (?P<stage>syntax|protocol) error in (?P<reason>\"(?:[^\"\\]|\\.)*\".*?) H=HOST"),
    _form(Kind.CLIENT_NOTE, r"SMTP (?P<stage>syntax|protocol) error in REST"),
    _form(Kind.CLIENT_NOTE, r"no host name found for IP address (?P<client_ip>[0-9A-Za-z.:%]+)", reason="no host name"),
    _form(Kind.CLIENT_NOTE, r"no IP address found for host [^\s()]+(?: \(during SMTP connection from PEER\))?", reason="host name without address"),
    _form(Kind.CLIENT_NOTE, r"(?P<stage>ETRN|ATRN) (?P<reason>.*) received from PEER$"),
    _form(Kind.CLIENT_NOTE, r"(?P<reason>ignoring AUTH=.*? from) (?:H=)?PEER \("),
    _form(Kind.CLIENT_NOTE, r"\[(?P<client_ip>[0-9A-Za-z.:%]+)\] (?P<reason>depth=.*)"),
    _form(Kind.SENDER_CHECK, r"(?P<reason>sender verify (?P<action>fail|defer).*)", method="verify"),
    _form(Kind.CLIENT_NOTE, r"(?P<reason>recipient verify (?:fail|defer).*)"),
    _form(Kind.CLIENT_NOTE, r"(?P<reason>ident connection to .* failed.*|list of [a-z]+ in .*|host name alias list .*)"),
    _form(Kind.TLS_FAILURE, r"\[(?P<client_ip>[0-9A-Za-z.:%]+)\] (?P<reason>SSL verify .*)"),
    _form(Kind.SENDER_CHECK, r"(?P<method>DKIM|DMARC|SPF|ARC)(?: results)?: REST"),
    _form(Kind.SENDER_CHECK, r"Authentication-Results: REST", method="results"),
)  # fmt: skip

MESSAGE: Final = (
    _form(Kind.REMOVED, r"Completed(?: (?P<attributes>QT=.*))?$"),
    _form(Kind.QUEUE_ADMIN, r"[Ff]rozen(?: REST)?$", action="hold"),
    _form(Kind.QUEUE_ADMIN, r"[Uu]nfrozen REST", action="release"),
    _form(Kind.QUEUE_ADMIN, r"removed by REST", action="delete"),
    _form(Kind.QUEUE_ADMIN, r"(?P<reason>address <[^<>\n]*> marked delivered by .*)", action="deliver"),
    _form(Kind.QUEUE_ADMIN, r"(?P<reason>sender address changed to <[^<>\n]*> by .*)", action="edit"),
    _form(Kind.QUEUE_ADMIN, r"(?P<reason>recipient <[^<>\n]*> added by .*)", action="edit"),
    _form(Kind.QUEUE_ADMIN, r"(?P<reason>moved from input, msglog to .*)", action="move"),
    _form(Kind.CANCELLED, r"cancelled by REST"),
    _form(Kind.CANCELLED, r"(?P<reason>message removed by .*)"),
    _form(Kind.SKIPPED, r"(?P<reason>Message is frozen)$"),
    _form(Kind.SKIPPED, r"(?P<reason>Spool file .*is locked \(another process is handling this message\))"),
    _form(Kind.SKIPPED, r"(?P<reason>Spool file is locked \(another process is handling this message\))"),
    _form(Kind.SKIPPED, r"(?P<reason>no immediate delivery: .*)"),
    _form(Kind.SKIPPED, r"(?P<reason>Delivery deferred by system filter.*|deferred by system filter.*)"),
    _form(Kind.SKIPPED, r"(?P<reason>(?:queue run|delivery) abandoned.*|load average too high.*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>original recipients ignored \(system filter\))"),
    _form(Kind.DELIVERY_NOTE, r"(?P<recipient>\S+)(?: <[^<>\n]*>)?: (?P<reason>error ignored.*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>\S+ router: skipped error: .*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason><\|.*>: \S+ transport output: .*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>lowest numbered MX record points to local host: .*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>no IP address found for host .*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>peer close after all rcpt responses.*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>qualify/rewrite: .*|rewrite: .*)"),
    _form(Kind.TLS_OUT_FAILURE, r"\[(?P<relay_ip>[0-9A-Za-z.:%]+)\] (?P<reason>SSL verify .*)"),
    _form(Kind.TLS_OUT_FAILURE, r"(?P<reason>Required TLS certificate status not received|Server certificate revoked; .*|OCSP .*)"),
    _form(Kind.TLS_OUT_FAILURE, r"(?P<reason>DANE (?:attempt failed|error).*)"),
    _form(Kind.REMOTE_TROUBLE, r"(?P<reason>\S+ authenticator (?:failed|cancelled authentication)) H=(?P<relay_name>[^\s\[\]]+) \[(?P<relay_ip>[0-9A-Za-z.:%]+)\](?::(?P<relay_port>[0-9]{1,5}))? (?P<reply>.*)"),
    _form(Kind.REMOTE_TROUBLE, rf'(?:H=)?PEER (?P<recipient>\S+) F=<[^<>\n]*> P=<[^<>\n]*> (?P<reason>tmp-reject from cutthrough after DATA): R=\S+ T=\S+ {_RELAY} C="(?P<reply>.*)"$'),
    _form(Kind.DECISION, _SA_EXIM % "(?:permanently )?rejected message", action="reject", stage="END-OF-MESSAGE", smtp_code="550"),
    _form(Kind.DECISION, _SA_EXIM % "temporarily rejected message", action="reject", stage="END-OF-MESSAGE", smtp_code="451"),
    _form(Kind.DECISION, _SA_EXIM % "silently tossed message", action="discard", stage="END-OF-MESSAGE"),
    _form(Kind.DECISION, _SA_EXIM % "flagged as Spam but accepted", action="warn", stage="END-OF-MESSAGE"),
    _form(Kind.MESSAGE_REFUSED, r"(?P<reason>no recipients found in headers|Error while reading message .*)"),
)  # fmt: skip

# What stands behind an id as well as alone: Exim about itself.
SERVER: Final = (
    _form(Kind.QUEUE_RUN, r"(?P<reason>(?:Start|End) (?:ODMR )?(?:'[^'\n]*' )?queue run: .*)"),
    _form(Kind.SERVER, r"(?P<reason>exim \S+ daemon started: .*|pid \S+: SIG\w+ received.*|exim \S+ daemon .*)"),
    _form(Kind.SERVER, r"(?P<reason>listen backlog .*|daemon: .*|.* daemon shutting down.*)"),
    _form(Kind.PANIC, r"(?P<reason>SIGSEGV.*|SEGV_\w+.*|malloc\(.*|Out of memory.*|out of memory.*)"),
    _form(Kind.FATAL, r"(?P<reason>Exim configuration error.*)"),
    _form(Kind.FATAL, r"(?P<reason>[Ff]ailed to open (?:database|DB file|\S*log|spool).*|Cannot open main log file.*|unable to open .*|socket bind\(\) .*|bind of .* failed.*)"),
    _form(Kind.ERROR, r"(?P<reason>(?:malware|spam) acl condition: .*|clamd: .*|spamd: .*|(?:spool|log) (?:directory|file) .*check failed.*)"),
    _form(Kind.ERROR, r"(?P<reason>Failed to .*|failed to .*|Unable to .*|unable to .*|Error in .*|error in .*|exec of .* failed.*|expansion of .*)"),
    _form(Kind.ERROR, r"(?P<reason>User [0-9]+ set for .*|Child mail process .*|Delivery status for .*|remote delivery process .*|.* transport process returned .*)"),
    _form(Kind.ERROR, r"(?P<reason>(?:lookup of|host lookup|DNS lookup|cannot|Cannot|could not|Could not|can't|Couldn't) .*)"),
    _form(Kind.WARNING, r"(?:[Ww]arning|WARNING): REST"),
    _form(Kind.WARNING, r"(?P<reason>[Tt]ainted .*|bounce_message_file .*|EHLO/HELO response must not .*|configured error code .*|ACL .*(?:ignored|ERROR).*)"),
    _form(Kind.WARNING, r"(?P<reason>Purging .*|purging .*|reducing .*|Reducing .*|host_.* ignored.*)"),
)  # fmt: skip

# A message's own log (`message_logs`: spool/msglog/ID) names no message, and says again what mainlog says of it: none of
# it counts. The host that a delivery did not reach stands there as it does behind an id in mainlog.
MESSAGE_LOG: Final = (
    _form(Kind.CONNECT_FAILURE, rf"{_RELAY} (?P<reason>Connection (?:refused|timed out|reset by peer)|No route to host|Net\S+ (?:is unreachable|Error))$"),
    _form(Kind.REMOTE_TROUBLE, rf"{_RELAY} (?P<reason>[SL]MTP (?:error from remote mail server|timeout) after .*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>Received from \S+ (?:[^\n]* )?P=\S+ .*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>routing failed for \S+ : .*|frozen by .*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>[^\n]+: (?:\S+ transport succeeded|children all complete))$"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>[^\n]+ defer \(-?\w+\): .*)"),
    _form(Kind.DELIVERY_NOTE, r"(?P<reason>\S+(?: <[^<>\n]*>)? R=\S+(?: T=\S+)?(?: H=\S+ \[[^\]\s]+\])? : .*)"),
)  # fmt: skip
