"""The lines of the access log, whatever a request contains; and what each variable stands for."""

from __future__ import annotations

import json
import ssl
from typing import Any, cast

import pytest

from addon.config.access_format import VARIABLES
from addon.config.redaction import redaction
from addon.origin.exchange_times import ExchangeTimes
from addon.runtime.access_log.line_format import LineFormat
from addon.runtime.access_log.logged_response import LoggedResponse, Sending
from addon.runtime.access_log.variables import OF_RESPONSE, OF_SENDING
from cache.answer.cache_status import Handling
from cache.http.messages import Fields, Request
from cache.policy.reasons import Forwarded, NotStored

MISS = Handling(fwd=Forwarded.URI_MISS, not_stored=NotStored.SET_COOKIE)
NOW = 1_795_435_200.25


def request(*fields: tuple[str, str]) -> Request:
    return Request("GET", "https", "a.example", 8443, "/a?b=c", Fields(fields))


def line(name: str, response: LoggedResponse, sending: Sending | None = None, site: str = "") -> str:
    line_format = LineFormat(name)
    return line_format.prepare(response, site) % line_format.values(sending or Sending(NOW, "192.0.2.1"))


def test_every_variable_has_a_value() -> None:
    assert {*OF_RESPONSE, *OF_SENDING} == VARIABLES.keys()


def test_the_combined_format_is_that_of_nginx() -> None:
    asked = request(("Referer", "https://b.example/x?secret"), ("User-Agent", 'curl/8 "x"'))
    assert line("combined", LoggedResponse(200, 5, asked, handling=MISS)) == (
        r'192.0.2.1 - - [23/Nov/2026:12:00:00 +0000] "GET https://a.example:8443/a?[hidden] HTTP/1.1" 200 5'
        r' "https://b.example/x?[hidden]" "curl/8 \x22x\x22"'
    )
    assert line("combined", LoggedResponse(400, 5)) == ('192.0.2.1 - - [23/Nov/2026:12:00:00 +0000] "-" 400 5 "-" "-"')


def test_json_has_all_variables_as_numbers_strings_and_null() -> None:
    sending = Sending(NOW, "192.0.2.1", 0.0105, ExchangeTimes(0.01, 0.02, 0.003), id="1f")
    logged = json.loads(line("json", LoggedResponse(200, 5, request(), handling=MISS), sending, "a.example"))
    assert list(logged) == list(VARIABLES)
    assert {name: value for name, value in logged.items() if name != "pid"} == {
        "remote_addr": "192.0.2.1",
        "remote_user": None,
        "time_local": "23/Nov/2026:12:00:00 +0000",
        "time_iso8601": "2026-11-23T12:00:00+00:00",
        "msec": NOW,
        "request": "GET https://a.example:8443/a?[hidden] HTTP/1.1",
        "request_method": "GET",
        "request_uri": "/a?[hidden]",
        "uri": "https://a.example:8443/a?[hidden]",
        "scheme": "https",
        "host": "a.example:8443",
        "server_protocol": "HTTP/1.1",
        "status": 200,
        "body_bytes_sent": 5,
        "request_time": 0.011,
        "upstream_connect_time": 0.003,
        "upstream_header_time": 0.01,
        "upstream_response_time": 0.02,
        "http_referer": None,
        "http_user_agent": None,
        "ssl_protocol": None,
        "ssl_cipher": None,
        "request_id": "1f",
        "site": "a.example",
        "decision": "uri-miss",
        "reason": "set-cookie",
        "result": "uri-miss/set-cookie",
    }


@pytest.mark.parametrize(
    ("response", "values"),
    [
        (LoggedResponse(203, 5, request(), handling=Handling(hit=True)), "hit - hit"),
        (LoggedResponse(203, 5, request(), handling=Handling(hit=True, detail="offline")), "hit offline hit"),
        (LoggedResponse(200, 5, request(), handling=MISS), "uri-miss set-cookie uri-miss/set-cookie"),
        (LoggedResponse(504, 5, request(), refused="offline"), "refused offline -"),
        (LoggedResponse(200, 5, line="CONNECT a:443 HTTP/1.1", is_tunnel=True), "tunnel - tunnel"),
        (LoggedResponse(200, 5), "- - -"),
    ],
)
def test_the_decision_has_a_reason(response: LoggedResponse, values: str) -> None:
    assert line("$decision $reason $result", response) == values


@pytest.mark.parametrize("byte", range(256))
def test_no_byte_breaks_a_line(byte: int) -> None:
    response = LoggedResponse(200, 5, request(("User-Agent", f"a{chr(byte)}b")))
    text = line("$http_user_agent%$status", response)
    plain = 0x20 <= byte < 0x7F and chr(byte) not in '"\\'
    assert text == (f"a{chr(byte)}b%200" if plain else f"a\\x{byte:02X}b%200")
    logged = line("json", response)
    assert logged.isascii()
    assert logged.isprintable()
    assert json.loads(logged)["http_user_agent"] == f"a{chr(byte)}b"


def test_text_in_utf_8_is_readable_in_json() -> None:
    sent = "Größe 🎉".encode().decode("latin-1")
    assert json.loads(line("json", LoggedResponse(200, 5, request(("User-Agent", sent)))))["http_user_agent"] == (
        "Größe 🎉"
    )


def test_characters_that_are_no_bytes_are_escaped_as_utf_8() -> None:
    assert line("$site", LoggedResponse(200, 5), site="ü€.example") == r"\xC3\xBC\xE2\x82\xAC.example"


def test_a_field_of_the_request_is_logged_without_queries_in_it() -> None:
    asked = request(("X-Original-URL", "/a?token=1"), ("Accept", "text/html"))
    assert line("$http_x_original_url $http_accept $http_x", LoggedResponse(200, 5, asked)) == (
        "/a?[hidden] text/html -"
    )


def test_queries_are_logged_if_the_operator_wants_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "shows_queries", True)
    assert line("$request_uri", LoggedResponse(200, 5, request())) == "/a?b=c"


def test_each_response_without_an_id_gets_one_of_its_own() -> None:
    ids = [line("$request_id $request_id", LoggedResponse(200, 5)).split() for _ in range(2)]
    assert ids[0][0] == ids[0][1] != ids[1][0]
    assert len(bytes.fromhex(ids[0][0])) == 16


class TlsTransport:
    """A client's connection with TLS."""

    def version(self) -> str:
        return "TLSv1.3"

    def cipher(self) -> tuple[str, str, int]:
        return "TLS_AES_256_GCM_SHA384", "TLSv1.3", 256

    def get_extra_info(self, name: str) -> Any:
        return cast("ssl.SSLObject", self) if name == "ssl_object" else None


def test_the_clients_tls_is_named() -> None:
    sending = Sending(NOW, "", transport=cast("Any", TlsTransport()))
    assert line("$ssl_protocol $ssl_cipher $remote_addr", LoggedResponse(200, 5), sending) == (
        "TLSv1.3 TLS_AES_256_GCM_SHA384 -"
    )
