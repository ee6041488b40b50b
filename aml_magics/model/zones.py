"""Time zones by either of their names: Windows (``Pacific Standard Time``) or IANA (``America/Los_Angeles``).

Azure's wire speaks Windows names, Python and people speak IANA. A Windows name stands for the usual IANA zone of
CLDR's table; back again, an IANA zone (old and new spellings) has at most one Windows name. ``ZoneInfo`` caches its
zones, so a hundred thousand schedules share a handful of them.
"""

from __future__ import annotations

import unicodedata
from difflib import get_close_matches
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aml_magics.model.errors import InvalidInput
from aml_magics.model.zone_table import TABLE

__all__ = ["nearest", "to_iana", "to_windows", "windows_name", "zone"]

# Copies of all zones that a system may keep beside them: "right" ones count leap seconds, which POSIX time does not.
NOT_ZONES = ("right/", "posix/")


@cache
def _windows_to_iana() -> dict[str, tuple[str, ...]]:
    lines = TABLE.replace("\n  ", " ").strip().splitlines()
    return {windows: tuple(names.split()) for windows, names in (line.split(": ") for line in lines)}


@cache
def _iana_to_windows() -> dict[str, str]:
    # Two zones are listed under an old name too, and the later name in the table, which is today's, wins.
    return {name: windows for windows, names in _windows_to_iana().items() for name in names}


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone with that Windows or IANA name. InvalidInput, with the nearest known name, when there is none."""
    names = _windows_to_iana().get(name)
    key = names[0] if names else name
    if key.startswith(NOT_ZONES) or key == "Factory":
        raise _unknown(name)
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones is an OSError, "../x" a ValueError
        raise _unknown(name) from None


def to_iana(name: str) -> str:
    """The IANA name of a zone; an IANA name stays as it is. InvalidInput when there is no such zone."""
    return zone(name).key


def to_windows(name: str) -> str:
    """The Windows name of a zone; a Windows name stays as it is. InvalidInput when the zone has none."""
    windows = windows_name(name)
    if not windows:
        message = f"time_zone {name!r} has no Windows name, and Azure knows zones by those"
        raise InvalidInput(message, hint="Take a zone with the same clock, such as a large city nearby.")
    return windows


def windows_name(name: str) -> str:
    """As ``to_windows``, but empty when the zone has no Windows name."""
    return name if name in _windows_to_iana() else _iana_to_windows().get(zone(name).key, "")


def nearest(name: str) -> str:
    """The known zone name that looks most like ``name``, also by its city alone; empty when none does."""
    known = {**_cities(), **{_plain(full): full for full in (*_iana_to_windows(), *_windows_to_iana())}}
    near = get_close_matches(_plain(name), known, n=1, cutoff=0.75)
    return known[near[0]] if near else ""


@cache
def _cities() -> dict[str, str]:
    return {_plain(name.rpartition("/")[2]): name for name in reversed(_iana_to_windows()) if "/" in name}


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().replace("_", " ").strip())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _unknown(name: str) -> InvalidInput:
    near = nearest(name)
    hint = f"Did you mean {near!r}?" if near else "Write an IANA name (America/Sao_Paulo) or a Windows name."
    return InvalidInput(f"time_zone {name!r} is not known", hint=hint)
