"""The keys of `[[site]]` about TLS for clients: certificates, HSTS, and the redirect from http to https."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from addon.config.model import PathText, Section
from addon.config.user_folders import expanded

_HSTS = re.compile(r"max-age=[0-9]{1,10}(?:; ?includeSubDomains)?(?:; ?preload)?")


class CertificatePair(Section):
    """The files of one certificate: its chain and its key, in PEM."""

    cert: PathText = Field(min_length=1)
    key: PathText = Field(min_length=1)

    @property
    def cert_file(self) -> Path:
        """The file with the certificate, and with those of the authorities between it and the root."""
        return expanded(self.cert)

    @property
    def key_file(self) -> Path:
        """The file with the private key."""
        return expanded(self.key)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _hsts(value: str) -> str:
    if value and not _HSTS.fullmatch(value):
        raise ValueError('a value like "max-age=31536000" or "max-age=31536000; includeSubDomains"')
    return value


CertificatePairs = Annotated[
    tuple[CertificatePair, ...],
    Strict(strict=False),
    BeforeValidator(_as_list, json_schema_input_type=tuple[CertificatePair, ...] | CertificatePair),
]


class SiteTlsSettings(Section):
    """The keys of a `[[site]]` table about TLS for clients."""

    tls: CertificatePairs = ()
    """Several if clients are to choose among kinds of keys; they cover the same hosts."""
    hsts: Annotated[str, AfterValidator(_hsts)] = ""
    redirect_https: bool = False
