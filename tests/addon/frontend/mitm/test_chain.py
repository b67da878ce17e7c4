"""The cache's addons stay in their places, whatever is loaded later."""

from __future__ import annotations

from mitmproxy.addonmanager import AddonManager
from mitmproxy.addons.save import Save
from mitmproxy.test import taddons

from addon.frontend.mitm.chain import Places


class _Named:
    def __init__(self, name: str) -> None:
        self.name = name


def _names(addons: AddonManager) -> list[str]:
    return [getattr(each, "name", type(each).__name__) for each in addons.chain[:]]


def test_the_addons_are_first_before_saving_and_last() -> None:
    places = Places(_Named("first"), _Named("compare"), _Named("last"))
    with taddons.context(_Named("script"), Save(), _Named("dumper")) as context:
        addons = context.master.addons

        places.take(addons)
        addons.add(_Named("later"))
        places.take(addons)

        taken = [name for name in _names(addons) if name in ("first", "script", "compare", "Save", "later", "last")]
        assert taken == ["first", "script", "compare", "Save", "later", "last"]
        assert (_names(addons)[0], _names(addons)[-1]) == ("first", "last")

        places.leave(addons)
        assert not {"first", "compare", "last"} & set(_names(addons))
