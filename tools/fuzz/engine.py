"""Fuzzes one target in this process, with atheris: libFuzzer, guided by the branches that our modules take.

python -m tools.fuzz.engine TARGET [option of libFuzzer | folder of inputs | file to run] ...
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

INSTRUMENTED = ["addon", "cache", "dns", "hpack", "http_sf", "warcio"]
"""The packages whose branches count: ours, and the parsers of others that get a peer's bytes from us."""


def main() -> None:
    """Run the target until an option of libFuzzer ends it, or until one of its properties does not hold."""
    name, *options = sys.argv[1:]
    # imported here, because only what is imported inside is instrumented
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tools.fuzz.targets import target_of

        target = target_of(name)
    atheris.enabled_hooks.add("RegEx")
    with tempfile.TemporaryDirectory() as folder:
        if target.tokens:
            dictionary = Path(folder) / "tokens"
            dictionary.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens))
            options.append(f"-dict={dictionary}")
        atheris.Setup([sys.argv[0], *options], target.check)
        atheris.Fuzz()


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    main()
