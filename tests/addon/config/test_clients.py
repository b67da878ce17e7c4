"""The shipped list of clients: which requests get 200, and which get 203."""

from pathlib import Path

import pytest

from addon.config.clients import SHIPPED, read_clients
from addon.config.errors import ConfigError
from addon.config.settings import Settings
from cache.answer.compose import exemption
from cache.http.messages import Fields, Request

POLICY = Settings().policy()

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"

BREAKS = [
    ("cargo/1.95.0 (f2d3ce0bd 2026-03-21)", "client-cargo"),
    ("Go-http-client/1.1", "client-go"),
    ("Go-http-client/2.0", "client-go"),
    ("GoCommand/1 (+https://go.dev/cmd/go)", "client-go"),
    ("Apache-Maven/3.8.7 (Java 17.0.15; Linux 6.1.0)", "client-maven"),
    ("Apache Ivy/non official version", "client-ivy"),
    ("Ruby, RubyGems/3.6.7 x86_64-linux-gnu Ruby/3.3.8 (2025-04-09 patchlevel 144)", "client-rubygems"),
    ("Ruby, RubyGems/3.3.15 x86_64-linux Ruby/3.1.2", "client-rubygems"),
    ("bundler/2.6.7 rubygems/3.6.7 ruby/3.3.8", "client-bundler"),
    ("pnpm/8.15.9 npm/? node/v20.20.2 linux x64", "client-pnpm"),
    ("pnpm/10.34.9 npm/? node/v20.20.2 linux x64", "client-pnpm"),
    ("pnpm/11.28.11 npm/? node/v24.0.0 linux x64", "client-pnpm"),
    ("aria2/1.37.0", "client-aria2"),
    ("wget2/1.99.1", "client-wget2"),
    ("Wget/2.2.0", "client-wget2"),
    ("skopeo/1.18.0", "client-skopeo"),
    ("containers/5.34.2 (github.com/containers/image)", "client-podman"),
    ("Terraform/1.11.4", "client-terraform"),
    ("ansible-httpget", "client-ansible"),
    ("curl/8.13.0 Nix/2.26.3", "client-nix"),
    ("cabal-install/3.10.3.0 (linux; x86_64)", "client-cabal"),
    ("ClamAV/1.4.3 (OS: Linux, ARCH: x86_64, CPU: x86_64)", "client-clamav"),
    ("node-gyp v12.4.0 (node v20.20.2)", "client-node-gyp"),
    ("Playwright/1.65.1 (x64; debian 12) node/20.20", "client-playwright"),
    ("gcloud-python/3.17.1  gl-python/3.13.0 grpc/1.70.0", "client-gcloud-python"),
    ("Apt-Cacher-NG/3.7.4", "client-apt-cacher-ng"),
    # work, but do not store a 203 in their own cache
    ("npm/11.19.1 node/v20.20.2 linux x64 workspaces/false", "client-npm"),
    ("make-fetch-happen/15.0.6 (+https://npm.im/make-fetch-happen)", "client-make-fetch-happen"),
    ("pdm/2.25.9 CPython/3.13.0 Linux/6.1.0", "client-pdm"),
]

WORKS = [
    'pip/26.3 {"ci":null,"cpu":"x86_64"}',
    'uv/0.13.9 {"installer":{"name":"uv"}}',
    "poetry/2.5.1 CPython/3.13.0 Linux/6.1.0",
    "yarn/1.22.22 npm/? node/v20.20.2 linux x64",
    "got (https://github.com/sindresorhus/got)",
    "pnpm/12.21.0 npm/? node/v24.0.0 linux x64",
    "Bun/1.3.0",
    "Deno/2.9.6",
    "Debian APT-HTTP/1.3 (2.6.1)",
    "libdnf (Debian GNU/Linux 13; generic; Linux.x86_64)",
    "ZYpp 17.36.3 (curl 8.14.1) openSUSE-Tumbleweed",
    "pacman/7.0.0 (Linux x86_64) libalpm/15.0.0",
    "libostree/2025.2 flatpak/1.16.6",
    "R (4.5.0 x86_64-pc-linux-gnu x86_64 linux-gnu)",
    "rustup/1.29.0",
    "Composer/2.8.8 (Linux; 6.1.0; PHP 8.4.1)",
    "git/2.39.5",
    "git-lfs/3.3.0 (GitHub; linux amd64; go 1.19.3)",
    "mercurial/proto-1.0 (Mercurial 7.2.4)",
    "docker/20.10.24+dfsg1 go/go1.19.8 git-commit/5d6db84 os/linux arch/amd64",
    "containerd/1.6.20~ds1",
    "curl/7.88.1",
    "curl/8.14.1",
    "Wget/1.21.3",
    "Wget/1.25.0",
    "Axel/2.17.11 (Linux)",
    "lftp/4.9.2",
    "HTTPie/3.2.4",
    "Lavf/62.1.100",
    "w3m/0.5.3+git20230121",
    "Lynx/2.9.0dev.12 libwww-FM/2.14",
    "python-requests/2.34.2",
    "python-httpx/0.28.1",
    "python-urllib3/2.8.0",
    "Python/3.13 aiohttp/3.14.5",
    "Python-urllib/3.13",
    "Scrapy/2.19.0 (+https://scrapy.org)",
    "Boto3/1.40.0 md/Botocore#1.40.0",
    "node",
    "undici",
    "axios/1.21.1",
    "Java-http-client/17.0.15",
    "Java/17.0.15",
    "libwww-perl/6.68",
    "HTTP-Tiny/0.082",
    "Ruby",
    BROWSER,
]


def request_with(target: str = "/file", method: str = "GET", **fields: str) -> Request:
    lines = tuple((name.replace("_", "-"), value) for name, value in fields.items())
    return Request(method=method, scheme="http", host="origin.test", port=80, target=target, fields=Fields(lines))


def exemption_of(request: Request, content_type: str = "application/octet-stream") -> str | None:
    return exemption(request, Fields((("Content-Type", content_type),)), POLICY)


@pytest.mark.parametrize(("user_agent", "name"), BREAKS)
def test_a_client_that_breaks_is_recognised_by_its_user_agent(user_agent: str, name: str) -> None:
    assert exemption_of(request_with(user_agent=user_agent)) == name


@pytest.mark.parametrize("user_agent", WORKS)
def test_a_client_that_works_is_not_on_the_list(user_agent: str) -> None:
    assert exemption_of(request_with(user_agent=user_agent)) is None


def test_a_missing_user_agent_matches_nothing() -> None:
    assert exemption_of(request_with()) is None
    assert exemption_of(request_with(user_agent="")) is None


@pytest.mark.parametrize("destination", ["empty", "video", "audio", "track", "object", "embed"])
def test_a_request_for_a_script_or_a_player_is_exempt(destination: str) -> None:
    assert exemption_of(request_with(user_agent=BROWSER, sec_fetch_dest=destination)) == "fetch-dest"


@pytest.mark.parametrize(
    "destination",
    [
        "document",
        "iframe",
        "frame",
        "style",
        "script",
        "image",
        "font",
        "manifest",
        "worker",
        "sharedworker",
        "serviceworker",
        "audioworklet",
    ],
)
def test_a_request_for_a_page_or_its_parts_is_not_exempt(destination: str) -> None:
    assert exemption_of(request_with(user_agent=BROWSER, sec_fetch_dest=destination)) is None


def test_an_event_stream_is_exempt_by_what_it_accepts() -> None:
    assert exemption_of(request_with(accept="text/event-stream", sec_fetch_dest="empty")) == "accept-event-stream"
    assert exemption_of(request_with(accept="Text/Event-Stream")) == "accept-event-stream"
    assert exemption_of(request_with(accept="text/html, */*;q=0.8")) is None


@pytest.mark.parametrize("content_type", ["video/mp4", "audio/ogg", "Video/WebM; codecs=vp9"])
def test_stored_media_is_exempt_for_every_client(content_type: str) -> None:
    assert exemption_of(request_with(), content_type) == "media"


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("/pks/lookup?op=get&options=mr&search=0xDEADBEEF", "client-dirmngr"),
        ("/chrome-for-testing-public/118.0.5950.0/linux64/chrome-linux64.zip", "client-puppeteer"),
        ("/mirror/118.0.5950.0/mac-arm64/chrome-headless-shell-mac-arm64.zip", "client-puppeteer"),
        ("/cft/118.0.5950.0/win32/chromedriver-win32.zip?x=1", "client-puppeteer"),
        ("/o/r/releases/download/v9.4.1/better-sqlite3-v9.4.1-node-v115-linux-x64.tar.gz", "client-prebuild-install"),
        ("/r/v6.0.1/bcrypt-v6.0.1-rc.1-napi-v3-linuxmusl-arm64.tar.gz", "client-prebuild-install"),
        ("/x/robotjs-v0.6.0-electron-v85-win32-ia32.tar.gz", "client-prebuild-install"),
    ],
)
def test_a_client_without_a_user_agent_is_recognised_by_the_path(target: str, name: str) -> None:
    assert exemption_of(request_with(target)) == name


@pytest.mark.parametrize(
    "target",
    [
        "/docs/pks/index.html",
        "/chrome-linux64.zip",
        "/a/chrome-extension-1.2.3.4.zip",
        "/node-v20.20.2-linux-x64.tar.gz",
        "/project-v1.2.3.tar.gz",
        "/oauth2/v1/certs",
        "/download/storage/v1/b/bucket/o/object?alt=media",
    ],
)
def test_a_similar_path_is_not_exempt(target: str) -> None:
    assert exemption_of(request_with(target)) is None


def test_requests_is_exempt_only_for_the_paths_of_google_libraries() -> None:
    requests = "python-requests/2.34.2"
    assert exemption_of(request_with("/oauth2/v1/certs", user_agent=requests)) == "client-google-auth"
    media = "/download/storage/v1/b/bucket/o/object?alt=media"
    assert exemption_of(request_with(media, user_agent=requests)) == "client-google-resumable-media"
    assert exemption_of(request_with("/storage/v1/b/bucket/o/object", user_agent=requests)) is None


def test_pip_is_exempt_only_with_head() -> None:
    assert exemption_of(request_with(method="HEAD", user_agent="pip/26.3 {}")) == "client-pip-head"
    assert exemption_of(request_with(method="GET", user_agent="pip/26.3 {}")) is None
    assert exemption_of(request_with(method="HEAD", user_agent="curl/8.14.1")) is None


def test_every_shipped_table_has_a_unique_name_and_its_measurement() -> None:
    clients = read_clients(SHIPPED)
    assert len({client.name for client in clients}) == len(clients)
    assert all(client.measured and client.breaks for client in clients)
    assert {name for _, name in BREAKS} <= {client.name for client in clients}


def test_the_operators_list_replaces_the_shipped_one(tmp_path: Path) -> None:
    file = tmp_path / "clients.toml"
    file.write_text('[[client]]\nname = "client-own"\nuser_agent = "^own/"\n')
    settings = Settings.model_validate({"answer": {"clients": str(file)}})
    assert [rule.name for rule in settings.policy().presentation.clients] == ["client-own"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[[client]]\nname = "a b"\naccept = "x"\n', 'client#1.name: found "a b", expected a token: '),
        ('[[client]]\nname = "a"\nuser_agent = "("\n', 'client#1.user_agent: found "(", expected a regular expression'),
        ('[[client]]\nname = "a"\nuser_agnet = "x"\n', "client#1.user_agnet: unknown key, did you mean user_agent?"),
        ('[[client]]\nname = "a"\n', "client#1: found a table, expected at least one condition: "),
        ('[[client]]\naccept = "x"\n', "client#1.name: found nothing, expected a value"),
        ('[[client]\nname = "a"\n', "line 1, column "),
    ],
)
def test_the_error_of_an_invalid_list_names_file_and_key(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "clients.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_clients(file)
    assert str(raised.value).startswith(f"{file}: {fault}")
