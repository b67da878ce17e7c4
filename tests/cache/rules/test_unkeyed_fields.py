"""Unkeyed fields: names are compared as CGI sees them, and everyday fields are not among them."""

from __future__ import annotations

import pytest

from cache.http.messages import Fields
from cache.rules.unkeyed_fields import ambiguous_names, for_all_clients, unkeyed_input

EVERYDAY = (
    # a browser's request through a proxy, and those of package managers
    "Accept Accept-Encoding Accept-Language Access-Control-Request-Headers Authorization Cache-Control Cookie DNT"
    " Device-Memory Origin Pragma Priority Proxy-Authorization Proxy-Connection Purpose Range Referer RSC Save-Data"
    " Sec-CH-UA Sec-CH-UA-Mobile Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-GPC Sec-Purpose TE"
    " Upgrade-Insecure-Requests User-Agent Via X-Client-Data X-Requested-With X-CSRF-Token X-Request-Id Traceparent"
    " X-Api-Key X-Amz-Date X-Amz-Content-Sha256 x-ms-client-request-id x-ms-version X-Ig-Capabilities X-Goog-Api-Key"
    " npm-auth-type npm-command npm-session pacote-version pacote-req-type X-PyPI-Last-Serial Git-Protocol"
    " Docker-Content-Digest X-Spam X-GitHub-Api-Version Want-Digest If-None-Match If-Modified-Since Expect"
    " HX-Current-URL Next-Url X-RapidAPI-Host X-Shopify-Shop-Domain X-Client-Version X-Client-Id X-Request-Start"
    " X-Correlation-Id X-Amz-Target X-Twilio-Signature X-Session-Id X-Origin X-Referer HTTP2-Settings Host Ssl-Mode"
).split()

UNKEYED = (
    "X-Port X-Rewrite X-Authority X-Domain X-Prefix X-Proxied-Host X-Request-Host X-Request-Scheme X-Request-Path"
    " X-Request-Method X-Request-Uri X-Request-Url X-Gateway-Host X-Target-Host X-Is-Https Ssl WL-Proxy-SSL"
    " WL-Proxy-Client-IP Document-Uri Path-Translated Redirect-Url X-Request-Port X-Request-Proto X-Request-Prefix"
    " X-Proxied-Url Proxied-Host Original-Url Request-Host Request-Path Target-Url X-Target-Path X-External-Url"
    " X-External-Host X-Public-Url X-Public-Host X-Upstream-Host X-Backend X-Backend-Url X-Frontend-Host X-Base-Path"
    " X-App-Url X-Is-Ssl X-Real-Host X-Real-Scheme X-Client-Proto X-Client-Addr X-Client-Address X-Remote-Port"
    " Remote-Port Server-Addr Server-Protocol Script-Uri Unencoded-Url X-Tls-Version X-Host-Override Url-Override"
    " Wsgi-Url-Scheme Http-X-Forwarded-Host X-Server X-True-Client-Ip X-Source-Ip X-Web-Host X-Site-Url"
    " X-Origin-Host X_Request_Host X-Url-Scheme"
).split()


def fields(*names: str) -> Fields:
    return Fields(tuple((name, "a") for name in names))


@pytest.mark.parametrize("name", EVERYDAY)
def test_an_everyday_field_is_not_unkeyed(name: str) -> None:
    assert unkeyed_input(fields(name), "GET") == ambiguous_names(fields(name)) == frozenset()
    assert for_all_clients(fields(name)) == fields(name)


@pytest.mark.parametrize("name", UNKEYED)
def test_what_gateways_say_about_the_request_is_unkeyed(name: str) -> None:
    assert unkeyed_input(fields("Accept", name), "GET") == {name.lower()}


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "x_forwarded_host", "X-FORWARDED_host", "x.forwarded~host"])
def test_a_name_is_compared_as_cgi_sees_it(name: str) -> None:
    assert unkeyed_input(fields("Accept", name), "GET") == {name.lower()}


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X_Forwarded_For", "Forwarded"])
def test_fields_that_every_proxy_adds_are_left_out_and_not_counted(name: str) -> None:
    assert unkeyed_input(fields(name), "GET") == frozenset()
    assert for_all_clients(fields("Accept", name)) == fields("Accept")


def test_the_destination_of_copy_and_move_is_a_part_of_these_methods() -> None:
    assert unkeyed_input(fields("Destination"), "GET") == {"destination"}
    assert unkeyed_input(fields("Destination"), "COPY") == unkeyed_input(fields("Destination"), "MOVE") == frozenset()


def test_names_with_other_characters_than_letters_digits_and_hyphens_are_ambiguous() -> None:
    assert ambiguous_names(fields("X-A", "X_A", "X.B", "Ab9")) == {"x_a", "x.b"}
