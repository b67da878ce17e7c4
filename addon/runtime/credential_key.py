"""The key for hashes of credentials in Vary values. Its file is in the store's folder; only the owner can read it."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from pathlib import Path

CREDENTIAL_KEY = "credential.key"
"""The name of the key's file."""

logger = logging.getLogger(__name__)


def credential_key(directory: Path | None) -> bytes:
    """Return the key of 32 bytes: from its file in `directory`, which is created if it does not exist.

    Without a directory, and if the file cannot be used, the key is random and lasts as long as the process.
    """
    if directory is None:
        return secrets.token_bytes(32)
    key_file, draft = directory / CREDENTIAL_KEY, directory / f".{CREDENTIAL_KEY}-{secrets.token_hex(4)}"
    try:
        try:
            draft.touch(mode=0o600, exist_ok=False)
            draft.write_bytes(secrets.token_bytes(32))
            with suppress(FileExistsError):
                key_file.hardlink_to(draft)  # atomic, and never replaces the key of another process
        finally:
            draft.unlink(missing_ok=True)
        return key_file.read_bytes()
    except OSError as error:
        logger.warning("copies that vary by credentials will not outlive this process: %s", error)
        return secrets.token_bytes(32)
