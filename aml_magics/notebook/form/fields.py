"""The inputs of the form: which there are, when they count, and the values that they make together.

What an input is for and how its text is read are the declarations of ``%aml schedule create`` itself; here is only how
it is asked for. A value is as the body of a cell would have it; an input that is empty, or that does not count for the
trigger that is chosen, has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from aml_magics.model.change import KINDS
from aml_magics.model.errors import InvalidInput
from aml_magics.model.words import WEEK_DAYS
from aml_magics.notebook import values
from aml_magics.notebook.grammar import Option
from aml_magics.notebook.nouns.options import FREQUENCIES
from aml_magics.notebook.nouns.schedule import SCHEDULES

__all__ = ["FIELDS", "TRIGGERS", "Field", "Kind", "help_of", "is_shown", "values_of"]

Kind = Literal["text", "choice", "combo", "flag", "several"]
TRIGGERS = {"recurrence": "time", "cron": "cron", "change": "change of data"}
_CALENDAR = ("Day", "Week")


@dataclass(frozen=True, slots=True)
class Field:
    """One input. ``triggers`` are the kinds for which it counts, ``frequencies`` those of a recurrence, all if empty.

    ``choices`` may be filled by names of the workspace; the first choice of all is none. A ``rare`` one is asked for
    among more options.
    """

    key: str
    kind: Kind = "text"
    triggers: tuple[str, ...] = tuple(TRIGGERS)
    frequencies: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    example: str = ""
    rare: bool = False

    @property
    def title(self) -> str:
        return self.key.replace("_", " ").capitalize()


_TIME, _CLOCK, _CHANGE = ("recurrence",), ("recurrence", "cron"), ("change",)
FIELDS = (
    Field("name", example="MySchedule"),
    Field("pipeline", "choice"),
    Field("experiment_name", "combo", example="called like the pipeline"),
    Field("frequency", "choice", _TIME, choices=FREQUENCIES),
    Field("interval", triggers=_TIME, example="1"),
    Field("week_days", "several", _TIME, ("Week",), WEEK_DAYS),
    Field("time_of_day", triggers=_TIME, frequencies=_CALENDAR, example="06:30"),
    Field("hours", triggers=_TIME, frequencies=_CALENDAR, example="6, 18", rare=True),
    Field("minutes", triggers=_TIME, frequencies=_CALENDAR, example="0, 30", rare=True),
    Field("cron", triggers=("cron",), example="0 6 * * 1-5"),
    Field("start_time", triggers=_CLOCK, example="at once"),
    Field("time_zone", "combo", _CLOCK, example="UTC"),
    Field("datastore", "choice", _CHANGE),
    Field("path_on_datastore", triggers=_CHANGE, example="incoming"),
    Field("polling_interval", triggers=_CHANGE, example="5"),
    Field("data_path_parameter_name", "choice", _CHANGE),
    Field("pattern", triggers=_CHANGE, example="*.csv"),
    Field("recursive", "flag", _CHANGE, rare=True),
    Field("per", "choice", _CHANGE, choices=("file", "batch"), rare=True),
    Field("settle", triggers=_CHANGE, example="0.5 s", rare=True),
    Field("min_size", triggers=_CHANGE, example="0 bytes", rare=True),
    Field("on", "several", _CHANGE, choices=KINDS, rare=True),
    Field("max_runs_per_poll", triggers=_CHANGE, example="all", rare=True),
    Field("append_only", "flag", _CHANGE, rare=True),
    Field("description", rare=True),
    Field("continue_on_step_failure", "choice", choices=("true", "false"), rare=True),
    Field("status", "choice", choices=("Active", "Disabled"), rare=True),
    Field("missed", "choice", _CLOCK, choices=("skip", "once", "all"), rare=True),
    Field("if_exists", "choice", choices=("error", "replace", "skip"), rare=True),
)


@cache
def _options() -> Mapping[str, Option]:
    create = next(verb for verb in SCHEDULES.verbs if verb.name == "create")
    return {option.key: option for option in create.options}


def help_of(field: Field) -> str:
    """What an input is for, in the words of ``%aml schedule create --help``."""
    option = _options().get(field.key)
    return option.help if option else "the schedule's name"


def is_shown(field: Field, trigger: str, frequency: str) -> bool:
    """Whether an input counts for this kind of trigger and, in a recurrence, for this frequency."""
    return trigger in field.triggers and (not field.frequencies or frequency in field.frequencies)


def values_of(raw: Mapping[str, object], trigger: str) -> dict[str, object]:
    """What the inputs say, as the body of a cell has it. ``raw`` is texts, truth values and lists, by key.

    ``pipeline_parameters`` and ``data_paths`` are mappings of name to text. Nothing is checked here.
    """
    frequency = str(raw.get("frequency") or "")
    found: dict[str, object] = {}
    for field in FIELDS:
        value = raw.get(field.key)
        text = value.strip() if isinstance(value, str) else value
        if text and is_shown(field, trigger, frequency):
            found[field.key] = _read(field.key, text)
    for key in ("pipeline_parameters", "data_paths"):
        pairs = raw.get(key)
        given = {name: text for name, text in pairs.items() if text != ""} if isinstance(pairs, Mapping) else {}
        if given:
            found[key] = given
    return found


def _read(key: str, value: object) -> object:
    """As the option reads it; what it refuses is kept for whoever reads the cell, which says so there."""
    option = _options().get(key)
    if key == "continue_on_step_failure":
        return value == "true"
    if option is None or option.read not in (values.scalar, values.items):
        return list(value) if isinstance(value, tuple) else value
    try:
        found = option.read(key, value)
    except InvalidInput:
        return value
    return list(found) if isinstance(found, tuple) else found
