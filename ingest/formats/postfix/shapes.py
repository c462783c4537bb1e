"""The lines of Postfix that have one fixed form, as data: (kind, daemons, template[, constants]).

Wording after the message formats of Postfix 2.3 to 3.11. `WITH_ID` are messages behind a queue id, `WITHOUT_ID`
those that have none (or NOQUEUE). A daemon's shapes are tried in this order.
"""

from typing import Final

from ingest.formats.base import Row
from ingest.schema import Kind

PEER: Final = "{client_name:host}[{client_ip:ip}]"
PEER_PORT: Final = PEER + "{?:{client_port:int}?}"
SCREENED: Final = "[{client_ip:ip}]:{client_port:int}"
RELAY: Final = "{relay_name:host}[{relay_ip:ip}]:{relay_port:int}"

AGENTS: Final = ("smtp", "lmtp", "local", "virtual", "pipe", "error", "retry", "discard")
SERVERS: Final = ("smtpd", "qmqpd")
MILTERED: Final = (*SERVERS, "cleanup")
CLIENTS: Final = ("smtp", "lmtp")
QUEUE_MANAGERS: Final = ("qmgr", "oqmgr", "nqmgr")
# These write about the server in words of their own (and of the shell scripts behind them).
TALKERS: Final = (
    "master",
    "postfix-script",
    "postlog",
    "post-install",
    "postfix-tls-script",
    "postmulti",
    "set-permissions",
)
ANYTHING: Final = "{reason:rest}"
ANY: Final = ()

# Postfix before 2.3 wrote neither delays= nor dsn=; 3.11 adds tls=.
DELIVERY: Final = (
    "to=<{recipient:addr}>, {?orig_to=<{orig_recipient:addr}>, ?}relay=%s, {?conn_use={connection_use:int}, ?}"
    "delay={delay_s:num}, "
    "{?delays={before_queue_s:num}/{in_queue_s:num}/{connect_s:num}/{transmit_s:num}, ?}"
    "{?tls={tls_policy:tok}, ?}{?dsn={enhanced_code:code}, ?}status={status:flow} ({reply:rest})"
)
TLS: Final = "{tls_version:name} with cipher {tls_cipher:name} ({tls_bits:int}/{:int} bits){? {:rest}?}"
REFUSAL: Final = (
    "{stage:verb} from %s: {smtp_code:smtp} {enhanced_code:enhanced} {reply:upto}; from=<{sender:addr}>%s"
)
# Who stands behind a refusal is told as far as the session had come; before MAIL FROM there is no sender.
ENVELOPE: Final = "{? to=<{recipient:addr}>?} proto={protocol:alpha}{? helo=<{helo:helo}>?}"
GREETED: Final = "{stage:verb} from %s: {smtp_code:smtp} {enhanced_code:enhanced} {reply:upto}; proto={protocol:alpha}{? helo=<{helo:helo}>?}"
MILTER: Final = (
    "milter-reject: {stage:verb} from %s: {enhanced_code:enhanced} {reply:upto}; from=<{sender:addr}>%s"
)

WITH_ID: Final[tuple[Row, ...]] = (
    (Kind.DELIVERY, AGENTS, DELIVERY % "{relay_name:host}{?[{relay_ip:ip}]{?:{relay_port:int}?}?}"),
    (Kind.DELIVERY, CLIENTS, DELIVERY % "{relay_name:host}[{:path}]"),
    (
        Kind.QUEUED,
        QUEUE_MANAGERS,
        "from=<{sender:addr}>, size={size_bytes:int}, nrcpt={recipient_count:int} (queue {:word})",
    ),
    (Kind.REMOVED, QUEUE_MANAGERS, "removed"),
    (Kind.EXPIRED, QUEUE_MANAGERS, "from=<{sender:addr}>, status={reason:flow}, returned to sender"),
    (Kind.SKIPPED, QUEUE_MANAGERS, "skipped, {reason:rest}"),
    (Kind.MESSAGE_ID, ("cleanup",), "message-id="),
    (Kind.MESSAGE_ID, ("cleanup",), "message-id={message_id:rest}"),
    (Kind.MESSAGE_ID, ("cleanup",), "resent-message-id={:rest}", {"action": "resent"}),
    (
        Kind.CLIENT,
        SERVERS,
        "client=" + PEER_PORT + "{?, sasl_method={sasl_method:tok}?}{?, sasl_username={sasl_username:tok}?}"
        "{?, orig_queue_id={orig_queue_id:qid}?}{?, orig_client={orig_client_name:host}[{orig_client_ip:ip}]?}",
    ),
    (Kind.DECISION, SERVERS, "reject: " + REFUSAL % (PEER_PORT, ENVELOPE), {"action": "reject"}),
    (Kind.DECISION, SERVERS, "reject: " + GREETED % PEER_PORT, {"action": "reject"}),
    (Kind.DECISION, MILTERED, "milter-reject: " + REFUSAL % (PEER_PORT, ENVELOPE), {"action": "reject", "decider": "milter"}),
    (Kind.DECISION, MILTERED, MILTER % (PEER_PORT, ENVELOPE), {"action": "reject", "decider": "milter"}),
    (Kind.NOTICE, ("bounce", "defer", "trace"), "sender non-delivery notification: {related_queue_id:qid}", {"action": "bounce"}),
    (Kind.NOTICE, ("bounce", "defer", "trace"), "sender delay notification: {related_queue_id:qid}", {"action": "delay"}),
    (Kind.NOTICE, ("bounce", "defer", "trace"), "sender delivery status notification: {related_queue_id:qid}", {"action": "dsn"}),
    (Kind.NOTICE, ("bounce", "defer", "trace"), "postmaster non-delivery notification: {related_queue_id:qid}", {"action": "postmaster"}),
    (Kind.NOTICE, ("bounce", "defer", "trace"), "postmaster delay notification: {related_queue_id:qid}", {"action": "postmaster"}),
    (Kind.PICKUP, ("pickup",), "uid={uid:int} from=<{sender:addr}>{? orig_id={orig_queue_id:qid}?}"),
    (Kind.QUEUE_ADMIN, ("postsuper",), "removed", {"action": "delete"}),
    (Kind.QUEUE_ADMIN, ("postsuper",), "placed on hold", {"action": "hold"}),
    (Kind.QUEUE_ADMIN, ("postsuper",), "released from hold", {"action": "release"}),
    (Kind.QUEUE_ADMIN, ("postsuper",), "requeued", {"action": "requeue"}),
    (Kind.QUEUE_ADMIN, ("postsuper",), "expired", {"action": "expire"}),
    (Kind.QUEUE_ADMIN, ("postsuper",), "renamed to match inode number", {"action": "rename"}),
    (Kind.REMOTE_TROUBLE, CLIENTS, "host {relay_name:host}[{relay_ip:ip}] said: {reply:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "host {relay_name:host}[{relay_ip:ip}] refused to talk to me: {reply:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "lost connection with {relay_name:host}[{relay_ip:ip}] while {reason:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "conversation with {relay_name:host}[{relay_ip:ip}] timed out while {reason:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "host {relay_name:host}[{:path}] said: {reply:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "host {relay_name:host}[{:path}] refused to talk to me: {reply:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "lost connection with {relay_name:host}[{:path}] while {reason:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "conversation with {relay_name:host}[{:path}] timed out while {reason:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "Cannot start TLS: {reason:rest}"),
    (Kind.REMOTE_TROUBLE, CLIENTS, "TLS is required, {reason:rest}"),
    (Kind.DELIVERY_NOTE, CLIENTS, "enabling PIX workarounds: {reason:rest}"),
    (Kind.DELIVERY_NOTE, CLIENTS, "Server certificate {reason:rest}"),
    (Kind.DELIVERY_NOTE, CLIENTS, "breaking line {reason:rest}"),
)  # fmt: skip

WITHOUT_ID: Final[tuple[Row, ...]] = (
    (Kind.CONNECT, SERVERS, "connect from " + PEER_PORT),
    (Kind.DISCONNECT, SERVERS, "disconnect from " + PEER_PORT + "{? {counters:rest}?}"),
    (Kind.TLS_IN, ("smtpd",), "{tls_trust:alpha} TLS connection established from " + PEER_PORT + ": " + TLS),
    (Kind.TLS_IN, ("smtpd",), "TLS connection established from " + PEER_PORT + ": " + TLS),
    (Kind.TLS_IN, ("tlsproxy",), "{tls_trust:alpha} TLS connection established from " + SCREENED + ": " + TLS),
    (Kind.TLS_OUT, ("smtp", "lmtp", "tlsproxy"), "{tls_trust:alpha} TLS connection {:word} to " + RELAY + ": " + TLS),
    (Kind.TLS_OUT, ("smtp", "lmtp", "tlsproxy"), "TLS connection {:word} to " + RELAY + ": " + TLS),
    (Kind.TLS_OUT, CLIENTS, "{tls_trust:alpha} TLS connection {:word} to {relay_name:host}[{:path}]: " + TLS),
    (Kind.LOST_CONNECTION, SERVERS, "lost connection after {stage:verb}{? content?}{? ({:int} bytes)?} from " + PEER_PORT, {"reason": "lost connection"}),
    (Kind.LOST_CONNECTION, SERVERS, "timeout after {stage:verb}{? content?}{? ({:int} bytes)?} from " + PEER_PORT, {"reason": "timeout"}),
    (Kind.LOST_CONNECTION, SERVERS, "too many errors after {stage:verb}{? content?}{? ({:int} bytes)?} from " + PEER_PORT, {"reason": "too many errors"}),
    (Kind.TLS_FAILURE, SERVERS, "SSL_accept error from " + PEER_PORT + ": {reason:rest}"),
    (Kind.TLS_FAILURE, ("tlsproxy",), "SSL_accept error from " + SCREENED + ": {reason:rest}"),
    (Kind.TLS_FAILURE, ("tlsproxy",), "TLS handshake failed for service={:name} peer=" + SCREENED),
    (Kind.AUTH_FAILURE, SERVERS, "warning: " + PEER_PORT + ": SASL {sasl_method:tok} authentication failed: {reason:phrase}, sasl_username=(unavailable)"),
    (Kind.AUTH_FAILURE, SERVERS, "warning: " + PEER_PORT + ": SASL {sasl_method:tok} authentication failed:{? {reason:phrase}?}{?, sasl_username={sasl_username:rest}?}"),
    (Kind.AUTH_FAILURE, SERVERS, "warning: " + PEER_PORT + ": SASL {sasl_method:tok} authentication failed: {reason:rest}"),
    (Kind.AUTH_FAILURE, SERVERS, "warning: " + PEER_PORT + ": SASL {sasl_method:tok} authentication failure: {reason:rest}"),
    (Kind.RATE_LIMIT, SERVERS, "warning: Connection rate limit exceeded: {:int} from " + PEER_PORT + " for service {:rest}", {"reason": "connection rate"}),
    (Kind.RATE_LIMIT, SERVERS, "warning: Connection concurrency limit exceeded: {:int} from " + PEER_PORT + " for service {:rest}", {"reason": "connection concurrency"}),
    (Kind.RATE_LIMIT, SERVERS, "warning: Message delivery request rate limit exceeded: {:int} from " + PEER_PORT + " for service {:rest}", {"reason": "message rate"}),
    (Kind.RATE_LIMIT, SERVERS, "warning: Recipient address rate limit exceeded: {:int} from " + PEER_PORT + " for service {:rest}", {"reason": "recipient rate"}),
    (Kind.RATE_LIMIT, SERVERS, "warning: New TLS session rate limit exceeded: {:int} from " + PEER_PORT + " for service {:rest}", {"reason": "TLS session rate"}),
    (Kind.RATE_LIMIT, SERVERS, "warning: TLS handshake rate limit exceeded: {:int} from " + PEER_PORT + " for service {:rest}", {"reason": "TLS handshake rate"}),
    (Kind.RATE_LIMIT, SERVERS, "warning: AUTH command rate limit exceeded: {:int} from " + PEER_PORT + " for service {:rest}", {"reason": "AUTH rate"}),
    (Kind.CLIENT_NOTE, SERVERS, "warning: hostname {:name} does not resolve to address {client_ip:ip}", {"reason": "host name does not resolve to address"}),
    (Kind.CLIENT_NOTE, SERVERS, "warning: hostname {:name} does not resolve to address {client_ip:code}: {:rest}", {"reason": "host name does not resolve to address"}),
    (Kind.CLIENT_NOTE, SERVERS, "warning: {client_ip:code}: hostname {:name} verification failed: {:rest}", {"reason": "host name does not resolve to address"}),
    (Kind.CLIENT_NOTE, SERVERS, "warning: {client_ip:code}: address not listed for hostname {:rest}", {"reason": "host name does not resolve to address"}),
    (Kind.CLIENT_NOTE, SERVERS, "warning: non-SMTP command from " + PEER_PORT + ": {reason:rest}", {"stage": "non-SMTP command"}),
    (Kind.CLIENT_NOTE, SERVERS, "warning: Illegal address syntax from " + PEER_PORT + " in {stage:verb} command: {reason:rest}"),
    (Kind.CLIENT_NOTE, SERVERS, "warning: reject: {stage:verb} {:name} from " + PEER_PORT, {"reason": "command refused"}),
    (Kind.CLIENT_NOTE, SERVERS, "improper command pipelining after {stage:verb} from " + PEER_PORT + "{?:{? {reason:rest}?}?}"),
    (Kind.CLIENT_NOTE, SERVERS, "discarding EHLO keywords: {reason:rest}"),
    (Kind.CLIENT_NOTE, SERVERS, "TLS SNI {:name} from " + PEER_PORT + " not matched, {reason:rest}"),
    (Kind.CLIENT_NOTE, SERVERS, "client=" + PEER_PORT + "{?, sasl_method={sasl_method:tok}?}{?, sasl_username={sasl_username:rest}?}", {"reason": "handed to the before-queue filter"}),
    (Kind.CLIENT_NOTE, SERVERS, PEER_PORT + ": {reason:rest}"),
    (Kind.CLIENT_NOTE, SERVERS, "setting up TLS connection from " + PEER_PORT, {"reason": "TLS starts"}),
    (Kind.DECISION, SERVERS, "reject: " + REFUSAL % (PEER_PORT, ENVELOPE), {"action": "reject"}),
    (Kind.DECISION, SERVERS, "reject: " + GREETED % PEER_PORT, {"action": "reject"}),
    (Kind.DECISION, MILTERED, "milter-reject: " + REFUSAL % (PEER_PORT, ENVELOPE), {"action": "reject", "decider": "milter"}),
    (Kind.DECISION, MILTERED, MILTER % (PEER_PORT, ENVELOPE), {"action": "reject", "decider": "milter"}),
    (Kind.DECISION, ("postscreen",), "reject: " + REFUSAL % (SCREENED, ", to=<{recipient:addr}>, proto={protocol:alpha}, helo=<{helo:helo}>"), {"action": "reject"}),
    (Kind.DECISION, ("postscreen",), "reject: {stage:verb} from " + SCREENED + ": {reply:text}", {"action": "reject"}),
    (Kind.SCREEN, ("postscreen", "tlsproxy"), "CONNECT from " + SCREENED + "{? to [{:ip}]:{:int}?}", {"action": "CONNECT"}),
    (Kind.SCREEN, ("postscreen", "tlsproxy"), "DISCONNECT " + SCREENED, {"action": "DISCONNECT"}),
    (Kind.SCREEN, ("postscreen",), "PASS OLD " + SCREENED, {"action": "PASS OLD"}),
    (Kind.SCREEN, ("postscreen",), "PASS NEW " + SCREENED, {"action": "PASS NEW"}),
    (Kind.SCREEN, ("postscreen",), "DNSBL rank {reason:int} for " + SCREENED, {"action": "DNSBL"}),
    (Kind.SCREEN, ("postscreen",), "PREGREET {:int} after {:num} from " + SCREENED + ": {reason:rest}", {"action": "PREGREET"}),
    (Kind.SCREEN, ("postscreen",), "HANGUP after {:num} from " + SCREENED + " in {reason:rest}", {"action": "HANGUP"}),
    (Kind.SCREEN, ("postscreen",), "WHITELISTED " + SCREENED, {"action": "ALLOWLISTED"}),
    (Kind.SCREEN, ("postscreen",), "ALLOWLISTED " + SCREENED, {"action": "ALLOWLISTED"}),
    (Kind.SCREEN, ("postscreen",), "BLACKLISTED " + SCREENED, {"action": "DENYLISTED"}),
    (Kind.SCREEN, ("postscreen",), "DENYLISTED " + SCREENED, {"action": "DENYLISTED"}),
    (Kind.SCREEN, ("postscreen",), "WHITELIST VETO " + SCREENED, {"action": "ALLOWLIST VETO"}),
    (Kind.SCREEN, ("postscreen",), "ALLOWLIST VETO " + SCREENED, {"action": "ALLOWLIST VETO"}),
    (Kind.SCREEN, ("postscreen",), "BARE NEWLINE from " + SCREENED + " after {stage:name}", {"action": "BARE NEWLINE"}),
    (Kind.SCREEN, ("postscreen",), "COMMAND TIME LIMIT from " + SCREENED + " after {stage:name}", {"action": "COMMAND TIME LIMIT"}),
    (Kind.SCREEN, ("postscreen",), "COMMAND COUNT LIMIT from " + SCREENED + " after {stage:name}", {"action": "COMMAND COUNT LIMIT"}),
    (Kind.SCREEN, ("postscreen",), "COMMAND LENGTH LIMIT from " + SCREENED + " after {stage:name}", {"action": "COMMAND LENGTH LIMIT"}),
    (Kind.SCREEN, ("postscreen",), "COMMAND PIPELINING from " + SCREENED + " after {stage:host}: {reason:rest}", {"action": "COMMAND PIPELINING"}),
    (Kind.SCREEN, ("postscreen",), "NON-SMTP COMMAND from " + SCREENED + " after {stage:host}: {reason:rest}", {"action": "NON-SMTP COMMAND"}),
    (Kind.SCREEN, ("postscreen",), "entering STRESS mode with {reason:rest}", {"action": "STRESS"}),
    (Kind.SCREEN, ("postscreen",), "leaving STRESS mode with {reason:rest}", {"action": "STRESS OVER"}),
    (Kind.DNSBL_LISTING, ("dnsblog",), "addr {client_ip:ip} listed by domain {dnsbl:name} as {reason:rest}"),
    (Kind.CONNECT_FAILURE, CLIENTS, "connect to " + RELAY + ": {reason:rest}"),
    (Kind.CONNECT_FAILURE, CLIENTS, "connect to {relay_name:host}[{relay_ip:ip}]: {reason:rest}"),
    (Kind.CONNECT_FAILURE, CLIENTS, "connect to {relay_name:host}[{:path}]: {reason:rest}"),
    (Kind.TLS_OUT_FAILURE, CLIENTS, "SSL_connect error to " + RELAY + ": {reason:rest}"),
    (Kind.DELIVERY_NOTE, CLIENTS, "certificate verification failed for " + RELAY + ": {reason:rest}"),
    (Kind.DELIVERY_NOTE, CLIENTS, "certificate peer name verification failed for " + RELAY + ": {reason:rest}"),
    (Kind.DELIVERY_NOTE, CLIENTS, "setting up TLS connection to " + RELAY, {"reason": "TLS starts"}),
    (Kind.DELIVERY_NOTE, CLIENTS, "Host offered STARTTLS: [{relay_name:host}]", {"reason": "TLS offered, not used"}),
    (Kind.DELIVERY_NOTE, CLIENTS, RELAY + ": {reason:rest}"),
    (Kind.STATISTICS, ANY, "statistics: {reason:rest}"),
    (Kind.STATISTICS, ANY, "cache {reason:rest}"),
    (Kind.SERVER, ANY, "table {reason:rest}"),
    (Kind.SERVER, ANY, "close database {reason:rest}"),
    (Kind.SERVER, ANY, "using backwards-compatible default setting {reason:rest}"),
    (Kind.SERVER, ("postsuper",), "Deleted: {reason:rest}"),
    (Kind.SERVER, ("postsuper",), "Placed on hold: {reason:rest}"),
    (Kind.SERVER, ("postsuper",), "Released from hold: {reason:rest}"),
    (Kind.SERVER, ("postsuper",), "Requeued: {reason:rest}"),
    (Kind.SERVER, ("postsuper",), "Expired: {reason:rest}"),
    (Kind.SERVER, ("postsuper",), "Renamed to match inode number: {reason:rest}"),
    (Kind.SERVER, ("master",), "daemon started {reason:rest}"),
    (Kind.SERVER, ("master",), "reload {reason:rest}"),
    (Kind.SERVER, ("master",), "terminating on signal {reason:int}"),
    (Kind.SERVER, ("postfix-script",), "starting the Postfix mail system", {"reason": "starting"}),
    (Kind.SERVER, ("postfix-script",), "stopping the Postfix mail system", {"reason": "stopping"}),
    (Kind.SERVER, ("postfix-script",), "refreshing the Postfix mail system", {"reason": "refreshing"}),
    (Kind.WARNING, ANY, "warning: {reason:remark}"),
    (Kind.ERROR, ANY, "error: {reason:remark}"),
    (Kind.FATAL, ANY, "fatal: {reason:remark}"),
    (Kind.PANIC, ANY, "panic: {reason:remark}"),
    (Kind.WARNING, TALKERS, "warning: {reason:rest}"),
    (Kind.ERROR, TALKERS, "error: {reason:rest}"),
    (Kind.FATAL, TALKERS, "fatal: {reason:rest}"),
    (Kind.PANIC, TALKERS, "panic: {reason:rest}"),
    (Kind.SERVER, TALKERS, ANYTHING),
)  # fmt: skip
