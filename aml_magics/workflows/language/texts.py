"""Functions on text, and those on text or arrays. Searching text is without regard to case where Microsoft says so."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from aml_magics.workflows.language.convert import as_text
from aml_magics.workflows.language.kinds import Refusal, array, function, kind_of, short_enough, text, whole

__all__: list[str] = []

Json = Any
Sequence = str | list[Json]


@function("concat", 1, None)
def concat(*values: Json) -> Sequence:
    if all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    return _joined(map(as_text, values), "")


@function("toLower", 1)
def to_lower(value: Json) -> str:
    return text(value, 1).lower()


@function("toUpper", 1)
def to_upper(value: Json) -> str:
    return text(value, 1).upper()


@function("trim", 1)
def trim(value: Json) -> str:
    return text(value, 1).strip()


@function("replace", 3)
def replace(value: Json, old: Json, new: Json) -> str:
    if not text(old, 2):
        raise Refusal("must not be empty", argument=2)
    count = text(value, 1).count(old)
    short_enough(len(value) + count * (len(text(new, 3)) - len(old)))
    return str(value.replace(old, new))


@function("split", 2)
def split(value: Json, delimiter: Json) -> list[str]:
    if not text(delimiter, 2):
        return [text(value, 1)]
    return text(value, 1).split(delimiter)


@function("startsWith", 2)
def starts_with(value: Json, start: Json) -> bool:
    return text(value, 1).casefold().startswith(text(start, 2).casefold())


@function("endsWith", 2)
def ends_with(value: Json, end: Json) -> bool:
    return text(value, 1).casefold().endswith(text(end, 2).casefold())


@function("indexOf", 2)
def index_of(value: Json, part: Json) -> int:
    if isinstance(value, list):
        return value.index(part) if part in value else -1
    return text(value, 1).lower().find(text(part, 2).lower())


@function("lastIndexOf", 2)
def last_index_of(value: Json, part: Json) -> int:
    if isinstance(value, list):
        return len(value) - 1 - value[::-1].index(part) if part in value else -1
    if not text(part, 2):  # Microsoft documents the last position then, not the length
        return max(0, len(text(value, 1)) - 1)
    return text(value, 1).lower().rfind(part.lower())


@function("nthIndexOf", 3)
def nth_index_of(value: Json, part: Json, occurrence: Json) -> int:
    """Counted from the end when negative."""
    hay, needle, wanted = text(value, 1).lower(), text(part, 2).lower(), whole(occurrence, 3)
    if not needle or not wanted:
        return -1
    found = [at for at in range(len(hay)) if hay.startswith(needle, at)]
    index = wanted - 1 if wanted > 0 else len(found) + wanted
    return found[index] if 0 <= index < len(found) else -1


@function("substring", 2, 3)
def substring(value: Json, start: Json, length: Json = None) -> str:
    whole_text, at = text(value, 1), whole(start, 2)
    if not 0 <= at <= len(whole_text):
        raise Refusal(f"must be from 0 to {len(whole_text)}, the length of the text, and is {at}", argument=2)
    taken = len(whole_text) - at if length is None else whole(length, 3)
    if not 0 <= taken <= len(whole_text) - at:
        raise Refusal(f"must be from 0 to {len(whole_text) - at}, what is left of the text, and is {taken}", argument=3)
    return whole_text[at : at + taken]


@function("slice", 1, 3)
def slice_(value: Json, start: Json = 0, end: Json = None) -> str:
    return text(value, 1)[whole(start, 2) : None if end is None else whole(end, 3)]


@function("guid", 0, 1)
def guid(form: Json = "D") -> str:
    made = uuid.uuid4()
    forms = {"D": str(made), "N": made.hex, "B": f"{{{made}}}", "P": f"({made})"}
    if text(form, 1).upper() not in forms:
        raise Refusal(f"must be D, N, B or P, and is {form!r}", argument=1)
    return forms[form.upper()]


@function("length", 1)
def length(value: Json) -> int:
    if isinstance(value, str | list):
        return len(value)
    raise Refusal(f"must be text or an array, and is {kind_of(value)}", argument=1)


@function("empty", 1)
def empty(value: Json) -> bool:
    if value is None or isinstance(value, str | list | dict):
        return not value
    raise Refusal(f"must be text, an array or an object, and is {kind_of(value)}", argument=1)


@function("contains", 2)
def contains(value: Json, part: Json) -> bool:
    """Text in text, an item in an array, a key in an object: with regard to case."""
    if isinstance(value, str):
        return text(part, 2) in value
    if isinstance(value, list):
        return any(is_same(item, part) for item in value)
    if isinstance(value, dict):
        return text(part, 2) in value
    raise Refusal(f"must be text, an array or an object, and is {kind_of(value)}", argument=1)


@function("first", 1)
def first(value: Json) -> Json:
    return _end(value, 0)


@function("last", 1)
def last(value: Json) -> Json:
    return _end(value, -1)


def _end(value: Json, index: int) -> Json:
    if not isinstance(value, str | list):
        raise Refusal(f"must be text or an array, and is {kind_of(value)}", argument=1)
    return value[index] if value else ("" if isinstance(value, str) else None)


@function("take", 2)
def take(value: Json, count: Json) -> Sequence:
    return _sequence(value)[: max(0, whole(count, 2))]


@function("skip", 2)
def skip(value: Json, count: Json) -> Sequence:
    return _sequence(value)[max(0, whole(count, 2)) :]


@function("chunk", 2)
def chunk(value: Json, size: Json) -> list[Sequence]:
    step, parts = whole(size, 2), _sequence(value)
    if step < 1:
        raise Refusal(f"must be 1 or more, and is {step}", argument=2)
    return [parts[at : at + step] for at in range(0, len(parts), step)]


@function("reverse", 1)
def reverse(value: Json) -> list[Json]:
    return array(value, 1)[::-1]


@function("sort", 1, 2)
def sort(value: Json, by: Json = None) -> list[Json]:
    items = array(value, 1)
    keys = items if by is None else [item.get(text(by, 2)) if isinstance(item, dict) else None for item in items]
    if not (all(isinstance(key, str) for key in keys) or all(_is_number(key) for key in keys)):
        raise Refusal("must be all text or all numbers to be sorted", argument=1)
    return [item for _, item in sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])]


@function("join", 2)
def join(value: Json, delimiter: Json) -> str:
    return _joined(map(as_text, array(value, 1)), text(delimiter, 2))


def _joined(parts: Iterable[str], delimiter: str) -> str:
    found = list(parts)
    short_enough(sum(map(len, found)) + len(delimiter) * max(0, len(found) - 1))
    return delimiter.join(found)


@function("union", 1, None)
def union(*values: Json) -> Json:
    """Of arrays: each item once. Of objects: the last one's value counts."""
    if all(isinstance(value, dict) for value in values):
        return {key: item for value in values for key, item in value.items()}
    items = [item for number, value in enumerate(values, 1) for item in array(value, number)]
    return list({_identity(item): item for item in reversed(items)}.values())[::-1]


@function("intersection", 1, None)
def intersection(*values: Json) -> Json:
    """Of arrays: what is in all of them. Of objects: what they have in common, key and value."""
    if all(isinstance(value, dict) for value in values):
        return {key: item for key, item in values[-1].items() if all(_has(value, key, item) for value in values)}
    known = [{_identity(item) for item in array(value, number)} for number, value in enumerate(values, 1)]
    unique = {_identity(item): item for item in values[0]}
    return [item for key, item in unique.items() if all(key in other for other in known)]


def _has(value: dict[str, Json], key: str, item: Json) -> bool:
    return key in value and is_same(value[key], item)


def _sequence(value: Json) -> Sequence:
    if isinstance(value, str | list):
        return value
    raise Refusal(f"must be text or an array, and is {kind_of(value)}", argument=1)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_same(one: Json, other: Json) -> bool:
    return _identity(one) == _identity(other)


def _identity(value: Json) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)
