"""Messages for a lake of pseudonyms: the headers are rewritten before anything reads them, and the subject is left out."""

import re
from typing import Final

from ingest.headers.messages import Block, Message
from ingest.pseudonyms import Pseudonyms

# What is in the tables; all else need not be rewritten, as nobody reads it.
_READ: Final = frozenset(
    "received return-path message-id date from to cc authentication-results arc-authentication-results received-spf arc-seal "
    "dkim-signature list-id list-unsubscribe auto-submitted x-spam-flag x-spam-score x-spam-status "
    "x-ms-exchange-organization-scl x-forefront-antispam-report".split()
)
# Users' names without a domain, where servers put them: Postfix and sendmail, SquirrelMail, CommuniGate, and Exim's
# `from alice by ... with local`.
_USERS: Final = re.compile(
    r"((?:Authenticated sender: |\bauthenticated (?:as |user )|\(account |\bident=)|\bfrom (?=[\w+-]{1,64}\s+by\s\S+\s+with local))"
    r"([^\s()@,;]{1,128})(?=[\s),;])",
    re.IGNORECASE,
)


def without_people(message: Message, pseudonyms: Pseudonyms) -> Message:
    """The message with pseudonyms in the place of people, as in a log of the same lake."""
    fields = [
        (
            name,
            pseudonyms.rewrite_text(
                _USERS.sub(lambda found: found[1] + pseudonyms.look_up(found[2])[-1], value)
            ),
        )
        for name, value in message.block.fields
        if name in _READ
    ]
    refusal = pseudonyms.rewrite_text(message.refusal) if message.refusal else None
    return Message(Block(fields, message.block.defects), message.size_bytes, refusal)
