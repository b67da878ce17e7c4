"""The settings of the shared store: its URL is checked, and nobody sees its password."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from addon.config.conflicts import refuse_conflicts
from addon.config.errors import ConfigError
from addon.config.load import configure
from addon.config.reload import refuse_fixed
from addon.config.settings import Settings
from cache.stores.redis.address import Place


def configured(directory: Path, store: str) -> Settings:
    file = directory / "settings.toml"
    file.write_text(f"[store]\n{store}\n")
    return configure(file, environ={}).settings


def fault(directory: Path, store: str) -> str:
    with pytest.raises(ConfigError) as refused:
        configured(directory, store)
    return str(refused.value)


def test_the_engine_is_named_by_its_url(tmp_path: Path) -> None:
    store = configured(tmp_path, 'kind = "redis"\nurl = "valkey://:secret@cache.example:7000/2"').store
    assert (store.address.places, store.address.password, store.address.database) == (
        (Place("cache.example", 7000),),
        "secret",
        2,
    )


def test_a_shared_store_needs_a_url(tmp_path: Path) -> None:
    assert 'store.url: found "", expected "redis://HOST:PORT/0"' in fault(tmp_path, 'kind = "redis"')


def test_a_malformed_url_is_refused_without_its_password(tmp_path: Path) -> None:
    problem = fault(tmp_path, 'kind = "redis"\nurl = "http://:secret@cache.example"')
    assert 'store.url: found "http://cache.example", expected "redis://HOST:PORT/0"' in problem
    assert "secret" not in problem


def test_a_password_in_the_place_of_a_user_is_refused_and_not_printed(tmp_path: Path) -> None:
    problem = fault(tmp_path, 'kind = "redis"\nurl = "redis://secret@cache.example"')
    assert 'expected ":PASSWORD@" or "USER:PASSWORD@" before the host' in problem
    assert "secret" not in problem


def test_the_password_is_not_printed_with_the_settings(tmp_path: Path) -> None:
    settings = configured(tmp_path, 'kind = "redis"\nurl = "redis://me:secret@cache.example"')
    assert settings.model_dump(mode="json")["store"]["url"] == "redis://me:...@cache.example"
    assert settings.store.address.password == "secret"


def test_the_password_is_not_printed_when_the_url_cannot_change(tmp_path: Path) -> None:
    old = configured(tmp_path, 'kind = "redis"\nurl = "redis://:secret@cache.example"')
    (tmp_path / "settings.toml").write_text('[store]\nkind = "redis"\nurl = "redis://:other@cache.example"\n')
    with pytest.raises(ConfigError) as refused:
        refuse_fixed(old, configure(tmp_path / "settings.toml", environ={}))
    assert "store.url" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert "other" not in str(refused.value)


def test_what_the_shared_store_cannot_do_is_refused(tmp_path: Path) -> None:
    store = 'kind = "redis"\nurl = "redis://cache.example"\n'
    assert "store.max_object" in fault(tmp_path, f'{store}max_object = "free"')
    assert "store.prefix" in fault(tmp_path, f'{store}prefix = "a b"')
    assert "store.prefix" in fault(tmp_path, f'{store}prefix = "{{x}}"')


def test_without_the_extra_the_shared_store_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("addon.config.store.find_spec", lambda name: None if name == "hiredis" else find_spec(name))
    assert 'pip install "secondhand[redis]"' in fault(tmp_path, 'kind = "redis"\nurl = "redis://cache.example"')
    assert configured(tmp_path, 'kind = "disk"').store.kind == "disk"


def test_several_workers_can_use_a_shared_store(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('workers = 2\n[store]\nkind = "redis"\nurl = "redis://cache.example"\n')
    refuse_conflicts(configure(file, environ={}))
    file.write_text('workers = 2\n[store]\nkind = "memory"\n')
    with pytest.raises(ConfigError, match="workers"):
        refuse_conflicts(configure(file, environ={}))
