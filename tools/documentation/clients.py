"""The section about clients that get 200 in place of 203: their names are details of Cache-Status, too."""

from __future__ import annotations

from addon.config.clients import SHIPPED, ClientSettings, read_clients
from tools.documentation.markdown import anchor, escaped

INTRODUCTION = """\
## Why 200 is sent in place of 203

Values of `detail` in a response from a copy that is sent as 200. With `answer.status = "auto"`, clients that were
measured to fail on a 203 get 200 with the same fields; the first rule that matches is used. `answer.status = "always"`
sends 203 to them as well, `answer.clients` names a list of your own, and `[[answer.rules]]` decide for single hosts,
paths and programs.
"""


def section() -> str:
    """Return the section."""
    return "\n\n".join(["", INTRODUCTION, *map(_entry, read_clients(SHIPPED))]) + "\n"


def _entry(client: ClientSettings) -> str:
    return "\n".join(
        [
            anchor(f"exempted-{client.name}"),
            f"### `{client.name}`",
            "",
            f"- With a 203: {escaped(client.breaks)}",
            f"- Measured with: {escaped(client.measured)}",
            f"- Condition: ``{client.conditions()}``",
        ]
    )
