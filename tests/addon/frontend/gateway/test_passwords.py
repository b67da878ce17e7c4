"""Names and passwords of basic authentication."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64encode
from pathlib import Path

import bcrypt
import pytest

from addon.frontend.gateway.passwords import MAX_WAITING, Passwords
from tests.fixtures.until import LONGEST


def users_file(folder: Path, **users: str) -> str:
    """Return a file as `htpasswd -B` writes it."""
    file = folder / "users"
    lines = [f"{name}:{bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)).decode()}\n" for name, word in users.items()]
    file.write_text("# preview\n" + "".join(lines))
    return str(file)


def basic(text: str | bytes) -> str:
    return "Basic " + b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    ("authorization", "right"),
    [
        (basic("ada:secret"), True),
        (basic("ada:secret").replace("Basic", "bAsIc"), True),
        (basic("bob:geheim: 1"), True),
        (basic("ada:Secret"), False),
        (basic("ada"), False),
        (basic("eve:secret"), False),
        (basic("bob:secret"), False),
        (basic(":"), False),
        (basic("ada:secret\0"), False),
        (basic(b"ada:\xff\xfe"), False),
        (basic("ada:" + "x" * 1000), False),
        ("Basic YQ=", False),
        ("Basic ###", False),
        ("Bearer abc", False),
        ("", False),
    ],
)
def test_who_is_let_in(tmp_path: Path, authorization: str, right: bool) -> None:
    file = users_file(tmp_path, ada="secret", bob="geheim: 1")
    passwords = Passwords([file])

    async def check() -> None:
        if passwords.are_right(file, authorization) is None:
            await passwords.check(file, authorization)

    asyncio.run(check())
    assert passwords.are_right(file, authorization) is right


def test_nobody_is_let_in_without_a_field(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")
    assert Passwords([file]).are_right(file, None) is False


def test_what_is_not_known_yet_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")
    assert Passwords([file]).are_right(file, basic("ada:secret")) is None


def counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return a list of the passwords that will have been compared."""
    compared: list[bytes] = []
    check = bcrypt.checkpw

    def counting(password: bytes, hashed: bytes) -> bool:
        compared.append(password)
        return check(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    return compared


def test_equal_credentials_of_many_requests_are_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared, file = counted(monkeypatch), users_file(tmp_path, ada="secret")
    passwords = Passwords([file])

    async def check() -> None:
        right, wrong = basic("ada:secret"), basic("ada:wrong")
        values = [right] * 100 + [wrong] * 100
        assert all(await asyncio.gather(*(passwords.check(file, value) for value in values)))
        assert (passwords.are_right(file, right), passwords.are_right(file, wrong)) == (True, False)

    asyncio.run(check())
    assert compared == [b"secret", b"wrong"]


def test_a_client_that_leaves_does_not_end_the_comparison_that_others_wait_for(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")
    passwords = Passwords([file])

    async def check() -> None:
        first, second = (asyncio.create_task(passwords.check(file, basic("ada:secret"))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second
        assert passwords.are_right(file, basic("ada:secret"))

    asyncio.run(check())


def test_at_the_end_of_the_process_only_the_comparison_under_way_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = users_file(tmp_path, ada="secret")
    passwords, begun, may_end = Passwords([file]), threading.Event(), threading.Event()
    compared: list[bytes] = []

    def slow(password: bytes, _hashed: bytes) -> bool:
        compared.append(password)
        begun.set()
        return may_end.wait(LONGEST)

    monkeypatch.setattr(bcrypt, "checkpw", slow)

    async def check() -> None:
        checks = [asyncio.create_task(passwords.check(file, basic(f"ada:{number}"))) for number in range(MAX_WAITING)]
        await asyncio.to_thread(begun.wait, LONGEST)
        assert not any(check.done() for check in checks)

    asyncio.run(check())
    may_end.set()
    passwords._thread.shutdown()
    assert compared == [b"0"]


def test_only_so_many_different_credentials_wait(tmp_path: Path) -> None:
    file = users_file(tmp_path, ada="secret")
    passwords = Passwords([file])

    async def check() -> None:
        values = [basic(f"ada:{number}") for number in range(MAX_WAITING + 1)]
        found_out = await asyncio.gather(*(passwords.check(file, value) for value in [*values, values[0]]))
        assert found_out == [True] * MAX_WAITING + [False, True]
        assert passwords.are_right(file, values[-1]) is None
        assert await passwords.check(file, values[-1])

    asyncio.run(check())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada:secret\n", "line 1 is not"),
        ("# users\n\nada:$apr1$x$y\n", "line 3 is not"),
        ("", "at least one user"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "users"
    file.write_text(text)
    with pytest.raises(ValueError, match=expected):
        Passwords([str(file)])
