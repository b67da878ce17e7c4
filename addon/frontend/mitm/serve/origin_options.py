"""mitmproxy's options for connections to origins: trusted CAs and a time limit. Both follow our settings."""

from __future__ import annotations

import math
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from mitmproxy.options import Options

from addon.config.origin import OriginSettings
from addon.config.user_folders import expanded

_NAMES = ("tcp_timeout", "ssl_verify_upstream_trusted_confdir", "ssl_verify_upstream_trusted_ca")


class OriginOptionsOfMitmproxy:
    """mitmproxy's options about origins, and the file of CA certificates that they name."""

    def __init__(self, options: Options, settings: OriginSettings) -> None:
        """Set the options. Raises OSError if a CA file cannot be read."""
        self._options = options
        self._bundle = self._set(settings)

    @contextmanager
    def replaced(self, settings: OriginSettings) -> Iterator[None]:
        """Set the options by other settings, and set them back if the block fails.

        Raises:
            OSError: a CA file cannot be read.
            OptionsError: mitmproxy refuses a value. In both cases nothing has changed.
        """
        before = {name: getattr(self._options, name) for name in _NAMES}
        unused, self._bundle = self._bundle, self._set(settings)
        try:
            yield
        except BaseException:
            self._options.update(**before)
            unused, self._bundle = self._bundle, unused
            raise
        finally:
            if unused:
                unused.close()

    def close(self) -> None:
        """Delete the file of CA certificates, if there is one."""
        if self._bundle:
            self._bundle.close()

    def _set(self, settings: OriginSettings) -> IO[str] | None:
        system = ssl.get_default_verify_paths()
        files = [name for name in (system.cafile, *settings.ca_files) if name]
        bundle = bundled(files) if len(files) > 1 else None  # mitmproxy reads one file only
        try:
            self._options.update(
                # mitmproxy has one limit for every connection that it carries, and streams are among them
                tcp_timeout=math.ceil(settings.stream_timeout),
                ssl_verify_upstream_trusted_confdir=system.capath,
                ssl_verify_upstream_trusted_ca=bundle.name if bundle else next(iter(files), None),
            )
        except BaseException:
            if bundle:
                bundle.close()
            raise
        return bundle


def bundled(files: Sequence[str]) -> IO[str]:
    """Return a file with the contents of all files, which is deleted when it is closed. Raises OSError.

    Each has another name, because mitmproxy reads a file once and remembers its certificates by its name.
    """
    certificates = "\n".join(expanded(name).read_text() for name in files)
    bundle = tempfile.NamedTemporaryFile("w", prefix="secondhand-", suffix=".pem")  # noqa: SIM115 - the caller closes it
    bundle.write(certificates)
    bundle.flush()
    return bundle
