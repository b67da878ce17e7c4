"""The OpenAPI document of the admin API, made of the operations and their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import TypeAdapter

from addon.serve.admin import results
from addon.serve.admin.arguments import Arguments
from addon.serve.admin.operations import Operation

type _Table = dict[str, object]

VERSION = "1.0"
"""The version of the API. The first number changes when programs that use it have to change."""

_SCHEMAS = "#/components/schemas/{model}"

ERRORS = {
    400: "The request is malformed.",
    401: "The token is missing or wrong.",
    403: "The Host is not one of this listener, or a page of another origin has sent the request.",
    409: "The command cannot be carried out as things are: there is no such site or recording, or it is in use.",
    422: "An argument is unknown, missing or malformed.",
    500: "The proxy has failed.",
    503: "No process serves clients at the moment, or there are too many requests.",
    504: "The command did not end in time.",
}
"""The errors of all operations."""

ERRORS_OF_CONTENT = {
    408: "The content did not arrive in time.",
    413: "The content is too large.",
    415: "The content is not JSON.",
}
"""Those of operations with content."""


def document(operations: Iterable[Operation]) -> _Table:
    """Return the document for these operations and for the routes beside them."""
    operations = list(operations)
    adapters: dict[type, TypeAdapter[object]] = {each: TypeAdapter(each) for each in _types(operations)}
    references, definitions = TypeAdapter.json_schemas(
        [(each, "validation", adapter) for each, adapter in adapters.items()], ref_template=_SCHEMAS
    )
    schemas: Mapping[type, object] = {each: references[each, "validation"] for each in adapters}
    paths: dict[str, _Table] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "secondhand admin API",
            "version": VERSION,
            "description": "Look into a running proxy, have it purge, and switch its modes. No GET changes anything.",
        },
        "paths": {**paths, **_probes(schemas)},
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _types(operations: Iterable[Operation]) -> list[type]:
    types = [each for operation in operations for each in (operation.result, operation.arguments)]
    return list(dict.fromkeys([*types, results.Problem, results.Health]))


def _operation(operation: Operation, schemas: Mapping[type, object]) -> _Table:
    described: _Table = {
        "summary": operation.summary,
        "operationId": f"{operation.method.lower()}_{operation.path[1:]}",
    }
    errors = ERRORS
    if operation.method == "GET":
        described["parameters"] = _parameters(operation.arguments)
    else:
        errors = {**ERRORS, **ERRORS_OF_CONTENT}
        content = {"application/json": {"schema": schemas[operation.arguments]}}
        described["requestBody"] = {"required": True, "content": content}
    refusals = {
        str(status): _response(text, "application/problem+json", schemas[results.Problem])
        for status, text in sorted(errors.items())
    }
    described["responses"] = {"200": _response("Done.", "application/json", schemas[operation.result]), **refusals}
    return described


def _parameters(arguments: type[Arguments]) -> list[_Table]:
    """Return the parameters of a query. Their schemas have no null: a parameter that has no value is left out."""
    schema = arguments.model_json_schema(ref_template=_SCHEMAS)
    definitions, required = schema.get("$defs", {}), schema.get("required", ())
    parameters: list[_Table] = []
    for name, found in schema.get("properties", {}).items():
        described = {key: value for key, value in found.items() if key not in ("title", "description", "default")}
        choices = [each for each in described.pop("anyOf", [described]) if each != {"type": "null"}]
        reference = str(choices[0].get("$ref", ""))
        of_value = definitions[reference.rpartition("/")[2]] if reference else choices[0]
        parameter = {"name": name, "in": "query", "required": name in required, "schema": of_value}
        parameters.append(parameter | ({"description": found["description"]} if "description" in found else {}))
    return parameters


def _response(text: str, media_type: str, schema: object) -> _Table:
    return {"description": text, "content": {media_type: {"schema": schema}}}


def _probes(schemas: Mapping[type, object]) -> _Table:
    health = schemas[results.Health]
    alive = {"200": _response("The proxy is alive.", "application/json", health)}
    ready = {
        "200": _response("The proxy takes requests of clients.", "application/json", health),
        "503": _response("It does not, or will not soon.", "application/json", health),
    }
    return {
        "/healthz": {"get": {"summary": "Whether the proxy is alive.", "security": [], "responses": alive}},
        "/readyz": {"get": {"summary": "Whether it is ready for clients.", "security": [], "responses": ready}},
    }
