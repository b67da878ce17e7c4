"""mitmproxy's options about origins follow the settings, and leave no files behind."""

from __future__ import annotations

import math
import ssl
import tempfile
from pathlib import Path

import pytest
from mitmproxy.options import Options

from addon.config.origin import OriginSettings
from addon.frontend.mitm.serve.origin_options import OriginOptionsOfMitmproxy


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> Options:
    options = Options()
    options.add_option("tcp_timeout", int, 600, "")
    return options


def settings(folder: Path, *certificates: str, **more: float) -> OriginSettings:
    """Return settings with files of these texts as CAs."""
    files = [folder / f"ca-{number}.pem" for number, _ in enumerate(certificates)]
    for file, text in zip(files, certificates, strict=True):
        file.write_text(text)
    return OriginSettings.model_validate({"ca_files": tuple(map(str, files)), **more})


def bundle(options: Options) -> Path:
    return Path(str(options.ssl_verify_upstream_trusted_ca))


def test_one_file_holds_all_certificates_and_is_deleted_when_it_is_replaced(
    tmp_path: Path, folder: Path, options: Options
) -> None:
    ours = OriginOptionsOfMitmproxy(options, settings(tmp_path, "first", "second"))
    before = bundle(options)
    assert before.read_text().endswith("first\nsecond")
    with ours.replaced(settings(tmp_path, "third", "fourth", stream_timeout=7.5)):
        assert bundle(options) != before
    assert list(folder.iterdir()) == [bundle(options)]
    assert bundle(options).read_text().endswith("third\nfourth")
    assert options.tcp_timeout == math.ceil(7.5)
    ours.close()
    assert not list(folder.iterdir())


def test_what_was_before_stays_if_the_rest_of_the_settings_is_refused(
    tmp_path: Path, folder: Path, options: Options
) -> None:
    ours = OriginOptionsOfMitmproxy(options, settings(tmp_path, "first", "second", stream_timeout=5))
    before = bundle(options)
    with pytest.raises(ValueError, match="refused"), ours.replaced(settings(tmp_path, "third", "x", stream_timeout=9)):
        raise ValueError("refused")
    assert (options.tcp_timeout, bundle(options)) == (5, before)
    assert list(folder.iterdir()) == [before]
    ours.close()


def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path, folder: Path, options: Options) -> None:
    ours = OriginOptionsOfMitmproxy(options, settings(tmp_path, "first", "second", stream_timeout=5))
    missing = settings(tmp_path, "third", "x", stream_timeout=9)
    before = bundle(options)
    (tmp_path / "ca-1.pem").unlink()
    with pytest.raises(FileNotFoundError), ours.replaced(missing):
        pass
    assert (options.tcp_timeout, list(folder.iterdir())) == (5, [before])
    ours.close()


def test_a_single_file_is_used_as_it_is(tmp_path: Path, folder: Path, options: Options) -> None:
    OriginOptionsOfMitmproxy(options, OriginSettings())
    assert options.ssl_verify_upstream_trusted_ca == ssl.get_default_verify_paths().cafile
    assert not list(folder.iterdir())
