"""Coded forms: what this cache has compressed of a stored response, for clients that accept the coding.

A coded form is stored beside its response under the same key, and is found through it alone: whether it is fresh, whom
it may answer, and what validates it is decided about the response. So it ends with the response, and nothing else has
to know of it. It is kept apart by a Vary value that no request has, and that names its response.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from cache.http.fields import entity_tags, opaque_tag, tokens
from cache.http.messages import Fields, Request
from cache.policy.cache_policy import CachePolicy
from cache.rules.accept_encoding import ACCEPT_ENCODING, acceptance, accepts
from cache.rules.stored_response import StoredResponse

_NAME = "&coded-form"
"""The name of the coding and of the response among the Vary values of a form; no field has that name."""

_TAG = re.compile(r'((?:W/)?"[^"]*)"')
_TAG_OF_FORM = re.compile(r'((?:W/)?"[^"]*)-(?:br|zstd|gzip)-[0-9a-f]{8}"')


def new_form(entry: StoredResponse, coding: str, entry_id: str) -> StoredResponse:
    """Return the entry that stores a response in a coding. Its body is not known yet."""
    vary = ((_NAME, f"{coding} {entry.id}"), *entry.vary)
    return replace(entry, id=entry_id, vary=vary, length=0, sha256="", revision=0, coded_forms=())


def is_form(entry: StoredResponse) -> bool:
    """Return whether an entry is a coded form."""
    return bool(entry.vary) and entry.vary[0][0] == _NAME


def _named(form: StoredResponse) -> tuple[str, str]:
    """Return the coding of a form, and the id of its response."""
    coding, _, entry_id = (form.vary[0][1] or "").partition(" ")
    return coding, entry_id


def with_forms(candidates: Sequence[StoredResponse]) -> Sequence[StoredResponse]:
    """Return stored responses that have their coded forms with them, in the same order."""
    for entry in candidates:  # a plain loop: most responses have no forms, and each request pays for it
        if entry.coded_forms or (entry.vary and entry.vary[0][0] == _NAME):
            break
    else:
        return candidates
    forms = [entry for entry in candidates if is_form(entry)]
    return [
        replace(entry, coded_forms=tuple(form for form in forms if _named(form)[1] == entry.id))
        for entry in candidates
        if not is_form(entry)
    ]


def forms_of(ids: Collection[str], stored: Sequence[StoredResponse]) -> set[str]:
    """Return the ids of the coded forms of the responses with these ids."""
    return {entry.id for entry in stored if is_form(entry) and _named(entry)[1] in ids}


def in_form_for(request: Request, entry: StoredResponse, policy: CachePolicy) -> StoredResponse:
    """Return a stored response as a request gets it: in a coding that it accepts, if there is such a form.

    The form that the request names by an entity tag, because the client has it already, is preferred. Other requests
    for a range get it of the response itself, whose positions are the same whatever forms there are.
    """
    if not entry.coded_forms:
        return entry
    plain = replace(entry, head=replace(entry.head, fields=_varied(entry.head.fields)), coded_forms=())
    forms = _forms_for(request, entry, policy)
    shown = [plain, *forms] if "range" in request.fields else [*forms, plain]
    lines = (*request.fields.all("if-none-match"), *request.fields.all("if-range"))
    tags = {opaque_tag(tag) for line in lines for tag in entity_tags(line)}
    return next((each for each in shown if opaque_tag(each.head.fields.get("etag") or "") in tags), shown[0])


def _forms_for(request: Request, entry: StoredResponse, policy: CachePolicy) -> list[StoredResponse]:
    """Return the responses in a coding that a request accepts, in the order of the settings."""
    if "no-transform" in tokens(request.fields.get("cache-control")):  # RFC 9111 §5.2.1.6
        return []
    accepted = acceptance(request.fields.get(ACCEPT_ENCODING))
    forms = {_named(form)[0]: form for form in entry.coded_forms}
    wanted = [coding for coding in policy.codings.compress if coding in forms and accepts(accepted, coding)]
    return [_response(entry, forms[coding], coding) for coding in wanted]


def _response(entry: StoredResponse, form: StoredResponse, coding: str) -> StoredResponse:
    fields = _varied(entry.head.fields).without(["etag", "content-length"])
    added = [("Content-Encoding", coding), ("Content-Length", str(form.length))]
    if (tag := _tag(entry.head.fields, coding, form.sha256)) is not None:
        added.append(("ETag", tag))
    head = replace(entry.head, fields=fields.appending(*added))
    return replace(entry, id=form.id, head=head, length=form.length, sha256=form.sha256, coded_forms=())


def _varied(fields: Fields) -> Fields:
    nominated = set(tokens(fields.get("vary")))
    return fields if nominated & {"*", ACCEPT_ENCODING} else fields.appending(("Vary", "Accept-Encoding"))


def _tag(fields: Fields, coding: str, sha256: str) -> str | None:
    """Return the entity tag of a form, which no other bytes have; None if that of the response has not its syntax."""
    match = _TAG.fullmatch(fields.get("etag") or "")
    # RFC 9110 §8.8.3.3: other bytes need another tag. The origin's own forms may have "-gzip", so the digest is added
    return f'{match[1]}-{coding}-{sha256[:8]}"' if match else None


def tag_of_response(tag: str) -> str:
    """Return the origin's entity tag of the response whose form has this tag; any other tag unchanged."""
    match = _TAG_OF_FORM.fullmatch(tag)
    return f'{match[1]}"' if match else tag


def with_tags_of_origin(fields: Fields) -> Fields:
    """Return request fields whose If-Match names the origin's entity tags in place of those of coded forms.

    A client that has a form and changes the response sends the tag that it got (RFC 9110 §13.1.1), which the origin
    does not know. If-Range stays as it is: the bytes that the client has are those of the form.
    """
    tags = [tag for line in fields.all("if-match") for tag in entity_tags(line)]
    translated = list(dict.fromkeys(map(tag_of_response, tags)))
    return fields if translated == tags else fields.replacing("If-Match", ", ".join(translated))
