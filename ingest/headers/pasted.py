"""A message without a file of its own, kept in the lake because somebody who looks at it wants that."""

import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

from ingest.errors import LakeError, SourceError
from ingest.headers.intake import MessagesReport, ingest_messages
from ingest.lake import Lake
from ingest.pseudonyms import Pseudonyms
from ingest.site import find_site
from ingest.sources import Source, find_sources

# What `mailscope sources` shows, and `mailscope forget` takes out again.
FOLDER: Final = "<dashboard>"


def keep_pasted(folder: Path, data: bytes, config: Path | None = None) -> MessagesReport:
    """Takes the messages in a text into a lake that exists, by the rules of `mailscope ingest` and the site's words on it.

    LakeError, in a sentence for the viewer, where the lake is none, another process writes into it, or it holds
    pseudonyms and the site names no key; SourceError, ConfigError.
    """
    lake, site = Lake(folder), find_site(config)
    with lake.ledger_to_read() as ledger:
        key_file = site["pseudonymise.key_file"]
        if ledger.pseudonyms() and key_file is None:
            raise LakeError(
                "the lake holds pseudonyms, and no key to make them is at hand here; "
                "`mailscope ingest FILE --pseudonymise KEYFILE` keeps the message"
            )
    pseudonyms = key_file and Pseudonyms.of_file(
        Path(key_file),
        domains=site["pseudonymise.domains"],
        keep_networks=site["pseudonymise.keep_networks"],
    )
    with tempfile.NamedTemporaryFile(prefix="mailscope-") as copy, lake.locked(_refuse_to_wait):
        copy.write(data)
        copy.flush()
        [source] = find_sources([copy.name])
        named = Source(f"{FOLDER}/{sha256(data).hexdigest()[:12]}", source.path, source.written_at)
        [report] = ingest_messages(
            lake, [named], pseudonyms or None, with_subjects=site["headers.subjects"], workers=1
        )
    if report.problem:
        raise SourceError(report.problem)
    return report


def _refuse_to_wait(holder: str) -> None:
    raise LakeError(f"another ingest writes into the lake ({holder}); try again when it is done")
