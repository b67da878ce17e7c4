"""The file /etc/hosts."""

from __future__ import annotations

from pathlib import Path

from addon.origin.hosts_file import HostsFile


def test_a_name_has_the_addresses_of_all_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("# hosts\n10.0.0.1 a.test A-alias.test # no.test\n\nfd00::1\ta.test.\n10.0.0.1 a.test\n")
    hosts = HostsFile(path)
    assert hosts.addresses("a.test") == ("10.0.0.1", "fd00::1")
    assert hosts.addresses("a-alias.test") == ("10.0.0.1",)
    assert hosts.addresses("no.test") == ()


def test_a_line_without_a_valid_address_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(b"not-an-address a.test\n\xff\xfe\n10.0.0.1\nfe80::1%eth0 b.test\n")
    hosts = HostsFile(path)
    assert (hosts.addresses("a.test"), hosts.addresses("b.test")) == ((), ("fe80::1%eth0",))


def test_a_change_of_the_file_applies_at_once(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    hosts = HostsFile(path)
    assert hosts.addresses("a.test") == ()
    path.write_text("10.0.0.1 a.test")
    assert hosts.addresses("a.test") == ("10.0.0.1",)
    path.unlink()
    assert hosts.addresses("a.test") == ()
