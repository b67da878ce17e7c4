"""The triggers of diskcache are replaced once, and the replacements count correctly."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cache.stores.disk.rows import Rows


def triggers(directory: Path) -> dict[str, str]:
    with closing(sqlite3.connect(directory / "cache.db")) as connection, connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))


def test_triggers_of_an_older_store_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "cache.db").touch()
    Rows(tmp_path, 1).close_all()
    current = triggers(tmp_path)
    with closing(sqlite3.connect(tmp_path / "cache.db")) as connection, connection:
        connection.execute("DROP TRIGGER Settings_size_insert")
        connection.execute("CREATE TRIGGER Settings_size_insert AFTER INSERT ON Cache BEGIN SELECT 1; END")
    Rows(tmp_path, 1).close_all()
    assert triggers(tmp_path) == current


def test_a_connection_is_refused_when_the_database_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "cache.db").touch()
    with closing(Rows(tmp_path, 1)) as rows:
        (tmp_path / "cache.db").rename(tmp_path / "away")
        rows.close()  # the connection of this thread; the next statement opens another one
        with pytest.raises(sqlite3.OperationalError):
            rows.keys().__next__()
        assert not (tmp_path / "cache.db").exists()
        (tmp_path / "cache.db").touch()
        with pytest.raises(sqlite3.OperationalError, match="replaced"):
            rows.keys().__next__()


def test_the_bytes_of_body_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "cache.db").touch()
    rows = Rows(tmp_path, 1)
    without = rows.bytes_in_use()
    rows.execute("INSERT INTO Cache (key, raw, size) VALUES ('b:1', 1, 70000)")
    assert rows.bytes_in_use() == without + 70000
    rows.execute("UPDATE Cache SET size = 90000 WHERE key = 'b:1'")
    assert rows.bytes_in_use() == without + 90000
    rows.execute("DELETE FROM Cache")
    assert rows.bytes_in_use() == without
    rows.close_all()
