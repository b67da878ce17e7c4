"""The keys that differ between two settings, and those that cannot change while the proxy runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.errors import ConfigError
from addon.config.load import configure
from addon.config.reload import ReadSettings, changed_keys, refuse_fixed
from addon.config.settings import Settings


def test_keys_whose_values_differ_are_named_in_the_order_of_the_settings() -> None:
    new = Settings.model_validate(
        {"log": {"level": "debug"}, "cache": {"lifetimes": []}, "annotate": [{"set": {"X-A": "b"}}]}
    )
    assert changed_keys(Settings(), new) == ("cache.lifetimes", "annotate", "log.level")
    assert changed_keys(new, new) == ()


def test_keys_that_cannot_change_are_refused_together_with_their_places(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('listen = "127.0.0.1:1"\n[log]\nlevel = "debug"\n[tls]\ndirectory = "/ca"\n')
    with pytest.raises(ConfigError) as refused:
        refuse_fixed(Settings(), configure(file, environ={}))
    until = "as long as the proxy runs; to change it, restart the proxy"
    assert str(refused.value).splitlines() == [
        f"{file}: listen: found '127.0.0.1:1', expected '127.0.0.1:8080' {until}",
        f"{file}: tls.directory: found '/ca', expected '' {until}",
    ]


def test_other_keys_may_change(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[tls]\nleave_alone = ["a.example"]\n[offline]\nkeep_private = true\n')
    refuse_fixed(Settings(), configure(file, environ={}))


SITE = '[[site]]\nhosts = ["{}"]\norigins = ["http://127.0.0.1:8000"]\n'


def test_sites_may_change_but_a_forward_proxy_does_not_become_an_edge(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(SITE.format("a.example"))
    one = configure(file, environ={})
    file.write_text(SITE.format("b.example") + SITE.format("c.example"))
    two = configure(file, environ={})
    refuse_fixed(one.settings, two)
    until = "as long as the proxy runs; to change it, restart the proxy"
    with pytest.raises(ConfigError) as refused:
        refuse_fixed(Settings(), two)
    assert str(refused.value) == f"{file}: site: found sites, expected no site {until}"
    file.write_text("")
    with pytest.raises(ConfigError) as refused:
        refuse_fixed(one.settings, configure(file, environ={}))
    assert str(refused.value) == f"settings: site: found no site, expected at least one site {until}"


def test_a_named_file_with_another_content_is_a_change(tmp_path: Path) -> None:
    users, clients = tmp_path / "users", tmp_path / "clients.toml"
    users.write_text("ada:$2y$04$" + "a" * 53)
    clients.write_text("")
    rule = {"basic_auth": {"users_file": str(users)}}
    site = {"hosts": ["a.example"], "origins": ["http://127.0.0.1:1"], "rules": [rule]}
    settings = Settings.model_validate({"site": [site], "answer": {"clients": str(clients)}})
    first = ReadSettings.of(settings)
    assert ReadSettings.of(settings).changes_from(first) == "nothing has changed"
    users.write_text("eve:$2y$04$" + "a" * 53)
    second = ReadSettings.of(settings)
    assert second.changes_from(first) == f"the content of {users}"
    clients.write_text("# none")
    third = ReadSettings.of(Settings.model_validate({**settings.model_dump(), "drain_timeout": 1}))
    assert third.changes_from(second) == f"drain_timeout, the content of {clients}"
    users.unlink()
    assert ReadSettings.of(third.settings).changes_from(third) == "nothing has changed"
