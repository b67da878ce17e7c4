"""Every client that gets 200 in place of 203 has an anchor, since its name is a detail of Cache-Status."""

from __future__ import annotations

from addon.config.clients import SHIPPED, read_clients
from tools.documentation.clients import section


def test_every_client_of_the_shipped_list_is_explained() -> None:
    text = section()
    clients = read_clients(SHIPPED)
    assert clients
    for client in clients:
        entry = text.partition(f"(exempted-{client.name})=\n### `{client.name}`\n")[2].partition("\n(")[0]
        assert f"``{client.conditions()}``" in entry
        assert entry.count("\n- ") == 3
