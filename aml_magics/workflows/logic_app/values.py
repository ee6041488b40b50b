"""Values of a definition in their units: lengths of time."""

from __future__ import annotations

import re

from aml_magics.model.errors import InvalidInput

__all__ = ["seconds_of"]

_SPAN = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_UNITS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def seconds_of(what: str, span: object) -> float:
    """The seconds of an ISO 8601 duration (``PT30S``) without months and years. Raises ``InvalidInput``."""
    found = _SPAN.fullmatch(span) if isinstance(span, str) else None
    parts = {name: part for name, part in found.groupdict().items() if part} if found else {}
    if not parts:
        raise InvalidInput(f"{what} {span!r} is no length of time", hint="Write one such as PT30S, PT5M or P1D.")
    return sum(float(part) * _UNITS[name] for name, part in parts.items())
