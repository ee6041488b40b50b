"""Triggers from what people write: a plain mapping with the SDK's argument names, and a few of our own.

Three kinds, told apart by their keys:

* ``frequency`` (or ``every: 15 minutes``), ``interval``, ``start_time``, ``time_zone``, ``hours``, ``minutes``,
  ``week_days``, ``time_of_day``: a ``Recurrence``;
* ``cron``, with ``start_time`` and ``time_zone``: a ``Cron``;
* ``datastore``, ``path_on_datastore``, ``polling_interval`` (a bare number is minutes, as in the SDK),
  ``data_path_parameter_name``, ``recursive``, ``per``, ``settle`` (a bare number is seconds), ``pattern``,
  ``min_size`` (a bare number is bytes), ``on`` (one or several), ``max_runs_per_poll``, ``append_only``: a
  ``DatastoreChange``.

A key whose value is ``None`` counts as not written. Every mistake is an ``InvalidInput`` that names the key, the value
and the fix; words of other languages are refused with the English word rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from aml_magics.model.change import DatastoreChange
from aml_magics.model.cron import Cron
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.readers import (
    read_count,
    read_every,
    read_flag,
    read_length,
    read_list,
    read_size,
    read_start_time,
    read_time_of_day,
)
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.words import listed

if TYPE_CHECKING:
    from aml_magics.model.triggers import Trigger

__all__ = ["TRIGGER_KEYS", "trigger_from"]

SHARED_KEYS = frozenset({"start_time", "time_zone"})
RECURRENCE_KEYS = frozenset({"frequency", "interval", "every", "hours", "minutes", "week_days", "time_of_day"})
CHANGE_KEYS = frozenset(field.name for field in fields(DatastoreChange))
TRIGGER_KEYS = RECURRENCE_KEYS | CHANGE_KEYS | SHARED_KEYS | {"cron"}
EXAMPLES = "Write every: 15 minutes, or cron: 0 6 * * 1-5, or datastore: workspaceblobstore."


def trigger_from(mapping: Mapping[str, object]) -> Trigger:
    """The trigger that ``mapping`` describes; see the module for its keys. InvalidInput names what is wrong."""
    for key in mapping:
        if key not in TRIGGER_KEYS:
            raise InvalidInput(f"{key!r} is not a key of a trigger", hint=did_you_mean(str(key), TRIGGER_KEYS))
    given: dict[str, Any] = {key: value for key, value in mapping.items() if value is not None}
    if "cron" in given:
        _refuse_mixture(given, "cron", RECURRENCE_KEYS | CHANGE_KEYS)
        return _cron(given)
    if given.keys() & CHANGE_KEYS:
        _refuse_mixture(given, min(given.keys() & CHANGE_KEYS), RECURRENCE_KEYS | SHARED_KEYS)
        return _change(given)
    return _recurrence(given)


def _refuse_mixture(given: Mapping[str, object], kind: str, others: frozenset[str]) -> None:
    strangers = sorted(given.keys() & others)
    if strangers:
        message = f"{kind} does not go together with {listed(strangers)}"
        raise InvalidInput(message, hint="A trigger is a recurrence, a cron or a change of a datastore: keep one.")


def _cron(given: dict[str, Any]) -> Cron:
    given["expression"] = given.pop("cron")
    return Cron(**_with_start(given))


def _change(given: dict[str, Any]) -> DatastoreChange:
    if "datastore" not in given:
        message = f"{listed(sorted(given))} without a datastore"
        raise InvalidInput(message, hint="Write datastore: workspaceblobstore.")
    for key, bare in (("polling_interval", "Minute"), ("settle", "Second")):
        if key in given:
            given[key] = read_length(key, given[key], bare=bare)
    for key in ("recursive", "append_only"):
        if key in given:
            given[key] = read_flag(given[key])
    if "min_size" in given:
        given["min_size"] = read_size("min_size", given["min_size"])
    if "max_runs_per_poll" in given:
        given["max_runs_per_poll"] = read_count(given["max_runs_per_poll"])
    if "on" in given:
        given["on"] = _kinds(given["on"])
    return DatastoreChange(**given)


def _kinds(value: object) -> object:
    kinds = read_list(value)
    if not kinds:
        raise InvalidInput(f"on {value!r} names no change", hint="Write on: added, modified or removed, or several.")
    return kinds


def _recurrence(given: dict[str, Any]) -> Recurrence:
    if "every" in given:
        twice = sorted(given.keys() & {"frequency", "interval"})
        if twice:
            raise InvalidInput(f"every says the same as {listed(twice)}", hint="Keep one of them.")
        given["frequency"], given["interval"] = read_every(given.pop("every"))
    if "frequency" not in given:
        written = f"{listed(sorted(given))} without a frequency" if given else "there is no trigger"
        raise InvalidInput(written, hint="Write frequency: Minute, or every: 15 minutes." if given else EXAMPLES)
    if "time_of_day" in given:
        _time_of_day(given)
    if "interval" in given:
        given["interval"] = read_count(given["interval"])
    for key in ("hours", "minutes", "week_days"):
        if key in given:
            given[key] = read_list(given[key])
    return Recurrence(**_with_start(given))


def _time_of_day(given: dict[str, Any]) -> None:
    twice = sorted(given.keys() & {"hours", "minutes"})
    if twice:
        message = f"time_of_day says the same as {listed(twice)}"
        raise InvalidInput(message, hint="Keep time_of_day, or hours and minutes.")
    hour, minute = read_time_of_day(given.pop("time_of_day"))
    if given["frequency"] in ("Second", "Minute", "Hour", "Month"):
        message = f"time_of_day goes with frequency Day or Week, not {given['frequency']}"
        raise InvalidInput(message, hint="Write frequency: Day, or give the time in start_time.")
    given["hours"], given["minutes"] = (hour,), (minute,)


def _with_start(given: dict[str, Any]) -> dict[str, Any]:
    if "start_time" in given:
        given["start_time"] = read_start_time(given["start_time"])
    return given
