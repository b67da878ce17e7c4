"""The triggers and indexes of diskcache are replaced once, and the replacements do the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cache.stores.disk.rows import Rows


def schema(directory: Path) -> dict[str, str]:
    with closing(sqlite3.connect(directory / "cache.db")) as connection, connection:
        return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index')"))


def test_triggers_and_indexes_of_an_older_store_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "cache.db").touch()
    Rows(tmp_path, 1).close_all()
    current = schema(tmp_path)
    with closing(sqlite3.connect(tmp_path / "cache.db")) as connection, connection:
        connection.execute("DROP TRIGGER Settings_size_insert")
        connection.execute("CREATE TRIGGER Settings_size_insert AFTER INSERT ON Cache BEGIN SELECT 1; END")
        connection.execute("DROP INDEX Cache_tag_rowid")
        connection.execute("CREATE INDEX Cache_tag_rowid ON Cache(tag, rowid)")
    Rows(tmp_path, 1).close_all()
    assert schema(tmp_path) == current


def test_only_indexes_that_differ_are_made_again(tmp_path: Path) -> None:
    def places() -> dict[str, int]:
        with closing(sqlite3.connect(tmp_path / "cache.db")) as connection, connection:
            return dict(connection.execute("SELECT name, rowid FROM sqlite_master WHERE type IN ('trigger', 'index')"))

    (tmp_path / "cache.db").touch()
    Rows(tmp_path, 1).close_all()
    with closing(sqlite3.connect(tmp_path / "cache.db")) as connection, connection:
        connection.execute("DROP TRIGGER Tag_delete")
        connection.execute("DROP INDEX Head_made")
    before = places()
    Rows(tmp_path, 1).close_all()
    after = places()
    assert after.keys() - before.keys() == {"Tag_delete", "Head_made"}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("condition", ["tag = 'x'", "tag >= 'x' AND tag < 'y'"])
def test_bodies_are_found_by_their_tag(tmp_path: Path, condition: str) -> None:
    (tmp_path / "cache.db").touch()
    with closing(Rows(tmp_path, 1)) as rows:
        (plan,) = rows.execute(f"EXPLAIN QUERY PLAN SELECT filename FROM Cache WHERE {condition}")
        assert "USING INDEX Cache_tag_rowid" in str(plan[-1])


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
