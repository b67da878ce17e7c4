"""The shipped profiles: their settings, and that the operator's settings override them."""

from __future__ import annotations

from pathlib import Path

import pytest

from addon.config.errors import ConfigError
from addon.config.load import configure
from addon.config.profiles import FOLDER, profile_names
from addon.config.toml_files import read_toml
from cache.http.messages import Fields, Response
from cache.policy.operator_rules import SetCookie
from cache.policy.private_cache import is_for_any_credential, is_kept_although_authorized, without_dropped_parameters
from cache.rules.freshness import lifetime_of_kind
from cache.rules.key import primary_key, request_for


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_valid_and_has_a_summary(name: str) -> None:
    assert configure(None, {}, {"SECONDHAND_PROFILE": name}).settings.policy()
    assert read_toml(FOLDER / f"{name}.toml")["summary"]


@pytest.mark.parametrize("name", profile_names())
def test_no_profile_names_a_host(name: str) -> None:
    policy = configure(None, {}, {"SECONDHAND_PROFILE": name}).settings.policy()
    hosts = [rule.host for rule in (*policy.freshness.lifetimes, *policy.keying.query_rules, *policy.keying.post_rules)]
    assert all(host.fullmatch("anything.example") for host in hosts)


def test_only_dev_stores_private_responses() -> None:
    for name in profile_names():
        policy = configure(None, {}, {"SECONDHAND_PROFILE": name}).settings.policy()
        assert policy.private.relaxes_rules is (name == "dev")
        assert bool(policy.private.secrets) is (name == "dev")
    dev = configure(None, {}, {"SECONDHAND_PROFILE": "dev"}).settings.policy()
    assert (dev.private.scope, dev.storing.set_cookie) == ("dev", SetCookie.STRIP)
    assert not dev.private.keep_no_store
    assert not dev.private.keep_authorized
    assert {"access_token", "refresh_token", "password", "secretaccesskey"} <= dev.private.secrets


@pytest.mark.parametrize(
    "name", ["access_token", "refresh_token", "id_token", "client_secret", "private_key", "api_key"]
)
def test_dev_scrubs_secrets_in_both_spellings(name: str) -> None:
    dev = configure(None, {}, {"SECONDHAND_PROFILE": "dev"}).settings.policy()
    assert {name, name.replace("_", "")} <= dev.private.secrets  # accessToken; names are compared in lower case


@pytest.mark.parametrize(
    ("path", "is_kept"),
    [
        ("/v2/library/a/manifests/latest", True),
        ("/v2/a/blobs/sha256:00", True),
        ("/v2/a/tags/list?n=50", True),
        ("/v2/account", False),
        ("/token", False),
        ("/simple/a/", False),
    ],
)
def test_dev_stores_responses_to_authorized_requests_for_container_images_only(path: str, is_kept: bool) -> None:
    dev = configure(None, {}, {"SECONDHAND_PROFILE": "dev"}).settings.policy()
    request = request_for(f"https://a.test{path}")
    assert is_kept_although_authorized(request, dev.private) is is_kept
    assert is_for_any_credential(request, dev.private) is is_kept


@pytest.mark.parametrize(
    ("target", "key"),
    [
        (
            "/registry/blobs/sha256/a0/a0ff/data?X-Amz-Date=1&X-Amz-Signature=2&x-id=3",
            "/registry/blobs/sha256/a0/a0ff/data",
        ),
        ("/registry/blobs/sha256:a0ff?se=1&sig=2&sp=r", "/registry/blobs/sha256:a0ff"),
        ("/storage/sha256/a0/a0ff?Expires=1&Signature=2&region=3", "/storage/sha256/a0/a0ff"),
        ("/bucket/a0ff?X-Goog-Signature=1&generation=2", "/bucket/a0ff?generation=2"),
        ("/bucket/a0ff?Signature=1&Key-Pair-Id=2&Policy=3", "/bucket/a0ff?Signature=1&Key-Pair-Id=2&Policy=3"),
        ("/sha256/help?page=2", "/sha256/help?page=2"),
    ],
)
def test_dev_drops_the_signature_of_blob_urls_from_the_key(target: str, key: str) -> None:
    dev = configure(None, {}, {"SECONDHAND_PROFILE": "dev"}).settings.policy()
    assert (
        primary_key(without_dropped_parameters(request_for(f"https://a.test{target}"), dev.keying.query_rules))
        == f"https://a.test{key}"
    )


@pytest.mark.parametrize(
    ("path", "media_type", "days"),
    [
        ("/a/b.whl", "application/zip", 365),
        ("/is-odd/-/is-odd-3.0.1.tgz", "application/octet-stream", 365),
        ("/api/v1/crates/a/1.0.0/download", "application/gzip", 365),
        ("/example.org/m/@v/v1.0.0.zip", "application/zip", 365),
        ("/example.org/m/@v/list", "text/plain", 0),
        ("/debian/pool/main/h/hello/hello_1_amd64.deb", "application/octet-stream", 365),
        ("/maven2/a/b/1/b-1.jar", "application/java-archive", 365),
        ("/maven2/a/b/1-SNAPSHOT/b-1-SNAPSHOT.jar", "application/java-archive", 0),
        ("/maven2/a/b/maven-metadata.xml", "text/xml", 0),
        ("/v2/library/a/blobs/sha256:00", "application/octet-stream", 365),
        ("/registry/v2/blobs/sha256/a0/a0ff/data", "application/octet-stream", 365),
        ("/v2/library/a/manifests/latest", "application/json", 0),
    ],
)
def test_immutable_files_have_a_long_lifetime_in_dev(path: str, media_type: str, days: int) -> None:
    policy = configure(None, {}, {"SECONDHAND_PROFILE": "dev"}).settings.policy()
    head = Response(200, "OK", Fields((("Content-Type", media_type),)))
    assert lifetime_of_kind(f"https://a.test{path}", head, policy) // 86_400 == days


def test_the_file_overrides_the_profile(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('profile = "dev"\n[offline]\nkeep_private = false\n')
    found = configure(file, {}, {})
    assert not found.settings.offline.keep_private
    assert found.settings.offline.override
    assert found.source("offline", "override") == "profile dev"


def test_the_error_of_an_unknown_profile_names_all_profiles() -> None:
    with pytest.raises(ConfigError, match='SECONDHAND_PROFILE: profile: found "work", expected one of apt, cargo, dev'):
        configure(None, {}, {"SECONDHAND_PROFILE": "work"})
