"""The key of the hashes that stand for credentials among Vary values: beside the store, readable by its owner alone."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from pathlib import Path

CREDENTIAL_KEY = "credential.key"
"""The name of its file."""

logger = logging.getLogger(__name__)


def credential_key(directory: Path | None) -> bytes:
    """Return 32 octets: those kept beside the store, made if there are none, or new ones where nothing is kept."""
    if directory is None:
        return secrets.token_bytes(32)
    kept, draft = directory / CREDENTIAL_KEY, directory / f".{CREDENTIAL_KEY}-{secrets.token_hex(4)}"
    try:
        try:
            draft.touch(mode=0o600, exist_ok=False)
            draft.write_bytes(secrets.token_bytes(32))
            with suppress(FileExistsError):
                kept.hardlink_to(draft)  # whole or not at all, and never over another process's
        finally:
            draft.unlink(missing_ok=True)
        return kept.read_bytes()
    except OSError as error:
        logger.warning("copies that vary by credentials will not outlive this process: %s", error)
        return secrets.token_bytes(32)
