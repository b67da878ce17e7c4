"""Credentials: the fields beside Cookie and Authorization by which an origin may know its client."""

from __future__ import annotations

import pytest

from cache.http.messages import Fields
from cache.rules.credentials import api_keys, has_credentials, is_api_key
from tests.cache.rules.test_unkeyed_fields import EVERYDAY

API_KEYS = (
    "X-Api-Key Api-Key ApiKey X-ApiKey X-Goog-Api-Key DD-API-KEY Ocp-Apim-Subscription-Key X-Functions-Key Fastly-Key"
    " X-Auth-Key X-Auth-Token X-Access-Token X-AccessToken Private-Token Job-Token Deploy-Token Circle-Token"
    " X-Vault-Token X-Consul-Token X-Amz-Security-Token X-Subject-Token X-Plex-Token X-Shopify-Access-Token"
    " X-Forwarded-Access-Token CF-Access-Client-Secret Cf-Access-Jwt-Assertion X-Goog-Iap-Jwt-Assertion X-Jwt"
    " X-Session X-Session-Id SessionId X-Sid X-GitHub-OTP X-Authorization X-Registry-Auth X-OAuth X-Password"
    " X-Client-Credentials Signature DPoP X-JFrog-Art-Api x_api_key"
).split()
CREDENTIALS_OF_EVERY_DAY = ("X-Api-Key", "X-Goog-Api-Key", "X-Twilio-Signature", "X-Session-Id")


@pytest.mark.parametrize("name", API_KEYS)
def test_fields_that_name_a_key_a_token_or_the_like_are_credentials(name: str) -> None:
    fields = Fields(((name, "a"),))
    assert is_api_key(name)
    assert has_credentials(fields)
    assert api_keys(fields) != api_keys(Fields(((name, "b"),)))


@pytest.mark.parametrize(
    "name", [*EVERYDAY, "Sec-WebSocket-Key", "X-XSRF-Token", "Idempotency-Key", "Accept-Signature"]
)
def test_other_everyday_fields_are_none(name: str) -> None:
    assert is_api_key(name) == (name in CREDENTIALS_OF_EVERY_DAY)


def test_the_order_and_the_spelling_of_names_do_not_matter() -> None:
    first = Fields((("X-Api-Key", "a"), ("Accept", "b"), ("X-Auth-Token", "c")))
    assert api_keys(first) == api_keys(Fields((("x-auth-token", "c"), ("X_API_KEY", "a"))))


@pytest.mark.parametrize("name", ["Cookie", "Authorization"])
def test_cookie_and_authorization_are_credentials_with_rules_of_their_own(name: str) -> None:
    assert has_credentials(Fields(((name, "a"),)))
    assert not is_api_key(name)
