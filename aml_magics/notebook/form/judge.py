"""What the values of a form would do: the cell, the next fires, the warnings, or the one thing that is wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aml_magics.model.errors import InvalidInput
from aml_magics.model.lint import warnings_for
from aml_magics.model.preview import FireTime
from aml_magics.model.triggers import DatastoreChange
from aml_magics.model.words import listed
from aml_magics.notebook.commands.schedule_request import request_from
from aml_magics.notebook.form.cell_text import cell_of

__all__ = ["NEEDED", "Verdict", "judge"]

NEEDED = ("name", "pipeline")
_NEXT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``trigger`` is in words; ``missing`` are inputs without which nothing can be made, ``problem`` is one line."""

    cell: str
    trigger: str = ""
    zone: str = ""
    fires: tuple[FireTime, ...] = ()
    warnings: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    problem: str = ""

    @property
    def can_be_made(self) -> bool:
        return not self.problem and not self.missing

    @property
    def needs(self) -> str:
        """``Still needed: name and pipeline.``; empty when nothing is."""
        return f"Still needed: {listed(self.missing)}." if self.missing else ""


def judge(values: Mapping[str, object], now: datetime) -> Verdict:
    """The verdict on the values of a body. Never raises."""
    cell = cell_of(values)
    missing = tuple(key for key in NEEDED if not values.get(key))
    try:
        request = request_from({}, values)
        if not request.trigger_words:
            return Verdict(cell=cell, missing=(*missing, "a trigger"))
        trigger = request.trigger()
    except InvalidInput as error:
        return Verdict(cell=cell, missing=missing, problem=str(error))
    fires = () if isinstance(trigger, DatastoreChange) else tuple(trigger.next_fires(now, _NEXT))
    return Verdict(
        cell=cell,
        trigger=trigger.in_words(),
        zone=getattr(trigger, "time_zone", ""),
        fires=fires,
        warnings=tuple(warnings_for(trigger, now)),
        missing=missing,
    )
