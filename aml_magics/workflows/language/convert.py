"""Conversions: text, numbers, truth, JSON, base64 and URI text."""

from __future__ import annotations

import base64
import json
import math
import re
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from aml_magics.workflows.language.kinds import MOST, Refusal, function, kind_of, text

__all__ = ["as_text"]

Json = Any
# Narrower than what int() and float() read: no underscores, no digits but these, no inf and nan.
_WHOLE = re.compile(r"\s*[+-]?[0-9]{1,19}\s*")
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?\s*")


def as_text(value: Json) -> str:
    """A value inside a text: null is nothing, objects and arrays are JSON, truth is ``True`` or ``False``."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@function("string", 1)
def string(value: Json) -> str:
    return as_text(value)


@function("int", 1)
def to_int(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    if not _is_whole(text(value, 1)):
        raise Refusal(f"is no whole number of 64 bits: {_shown(value)}", argument=1)
    return int(value)


@function("float", 1)
@function("decimal", 1)
def to_float(value: Json) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not _is_number(text(value, 1)):
        raise Refusal(f"is no number: {_shown(value)}", argument=1)
    return float(value)


@function("bool", 1)
def to_bool(value: Json) -> bool:
    if isinstance(value, int | float):
        return bool(value)
    known = {"true": True, "false": False, "1": True, "0": False}
    if isinstance(value, str) and value.casefold() in known:
        return known[value.casefold()]
    raise Refusal(f"is neither true nor false: {value!r}", argument=1)


@function("json", 1)
def from_json(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"is no JSON ({error})", argument=1) from None


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    if math.isfinite(found := float(digits)):
        return found
    raise ValueError("a number is too large")


@function("array", 1)
def to_array(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


@function("createArray", 1, None)
def create_array(*values: Json) -> list[Json]:
    return list(values)


@function("coalesce", 1, None)
def coalesce(*values: Json) -> Json:
    return next((value for value in values if value is not None), None)


@function("base64", 1)
def to_base64(value: Json) -> str:
    return base64.b64encode(_encoded(text(value, 1))).decode()


@function("base64ToString", 1)
@function("decodeBase64", 1)
def from_base64(value: Json) -> str:
    try:
        return base64.b64decode(text(value, 1), validate=True).decode()
    except ValueError:  # not base64, letters that it cannot have, or not UTF-8
        raise Refusal("is not base64 of text", argument=1) from None


@function("dataUri", 1)
def data_uri(value: Json) -> str:
    return f"data:text/plain;charset=utf-8;base64,{to_base64(value)}"


@function("uriComponent", 1)
@function("encodeUriComponent", 1)
def uri_component(value: Json) -> str:
    return quote(_encoded(text(value, 1)), safe="")


def _encoded(value: str) -> bytes:
    """UTF-8. Half a surrogate pair, which JSON can carry, becomes U+FFFD as .NET has it."""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


@function("uriComponentToString", 1)
@function("decodeUriComponent", 1)
def uri_component_to_string(value: Json) -> str:
    return unquote(text(value, 1))


@function("uriHost", 1)
def uri_host(value: Json) -> str:
    return _uri(value).hostname or ""


@function("uriPath", 1)
def uri_path(value: Json) -> str:
    return _uri(value).path


@function("uriPathAndQuery", 1)
def uri_path_and_query(value: Json) -> str:
    parts = _uri(value)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@function("uriQuery", 1)
def uri_query(value: Json) -> str:
    query = _uri(value).query
    return f"?{query}" if query else ""


@function("uriScheme", 1)
def uri_scheme(value: Json) -> str:
    return _uri(value).scheme


@function("uriPort", 1)
def uri_port(value: Json) -> int:
    parts = _uri(value)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    if port is None:
        raise Refusal(f"has no port: {value!r}", argument=1)
    return port


def _uri(value: Json) -> SplitResult:
    try:
        parts = urlsplit(text(value, 1))
        _ = parts.port  # read here: the one part that is checked only when it is asked for
    except ValueError as error:
        raise Refusal(f"is no URI ({error})", argument=1) from None
    return parts


@function("isInt", 1)
def is_int(value: Json) -> bool:
    return _is_whole(text(value, 1))


@function("isFloat", 1)
def is_float(value: Json) -> bool:
    return _is_number(text(value, 1))


def _is_whole(value: str) -> bool:
    return _WHOLE.fullmatch(value) is not None and -MOST <= int(value) < MOST


def _is_number(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None and math.isfinite(float(value))


def _shown(value: Json) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}..."


@function("addProperty", 3)
def add_property(value: Json, name: Json, item: Json) -> Json:
    found = _object(value)
    if text(name, 2) in found:
        raise Refusal(f"is a property already: {name!r}", argument=2, hint="setProperty() replaces it.")
    return {**found, name: item}


@function("setProperty", 3)
def set_property(value: Json, name: Json, item: Json) -> Json:
    return {**_object(value), text(name, 2): item}


@function("removeProperty", 2)
def remove_property(value: Json, name: Json) -> Json:
    return {key: item for key, item in _object(value).items() if key != text(name, 2)}


def _object(value: Json) -> dict[str, Json]:
    if isinstance(value, dict):
        return value
    raise Refusal(f"must be an object, and is {kind_of(value)}", argument=1)
