"""``%aml datastore watch --dry-run``: what would fire now at a place, and what would not, with the reason."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput
from aml_magics.model.parsing import trigger_from
from aml_magics.model.triggers import DatastoreChange
from aml_magics.notebook import datastore_tables, values

if TYPE_CHECKING:
    from aml_magics.notebook.call import Call
    from aml_magics.notebook.frames import Table

__all__ = ["watch"]

_CONDITIONS = ("pattern", "min_size", "recursive")


def watch(call: Call) -> Table:
    """Look, and record nothing."""
    if not call.is_dry_run:
        hint = "Add --dry-run to see what would fire; %aml schedule create watches for good."
        raise InvalidInput("watch only looks", hint=hint)
    given = {key: call.get(key) for key in _CONDITIONS if key in call.arguments}
    since = _since(call) if "since" in call.arguments else 0.0
    datastores = call.workspace.datastores
    store = datastores.get(call.get("name_or_id"))
    words = {"datastore": store.name, "path_on_datastore": call.get("path", "").strip("/"), **given}
    trigger = trigger_from(words)
    assert isinstance(trigger, DatastoreChange)  # noqa: S101 - for the type checker: its words are those of one
    is_planned = bool(given) or "since" in call.arguments
    found = datastores.outlook(
        store.name, trigger.path_on_datastore, trigger=trigger if is_planned else None, since=since
    )
    call.remember("datastore", [store.name])
    return datastore_tables.outlooks(call, found, _caption(trigger), _notes(call, trigger, is_planned=is_planned))


def _caption(trigger: DatastoreChange) -> str:
    return "/".join(filter(None, (trigger.datastore, trigger.path_on_datastore)))


def _notes(call: Call, trigger: DatastoreChange, *, is_planned: bool) -> list[str]:
    if is_planned:
        return [f"What a schedule on {trigger.in_words()} would fire for if all of this were new."]
    place = (trigger.datastore, trigger.path_on_datastore)
    there = sum(
        isinstance(one.trigger, DatastoreChange) and (one.trigger.datastore, one.trigger.path_on_datastore) == place
        for one in call.workspace.schedules.list()
    )
    if not there:
        return ["No active schedule watches this place; --pattern * shows what one would fire for."]
    return [f"{there} active schedule{'s' if there > 1 else ''} here; what was there at the last look is not news."]


def _since(call: Call) -> float:
    """POSIX seconds, of an instant in the display zone or of a span before now."""
    value = call.get("since")
    if isinstance(value, str) and not value.strip()[:1].isdigit():
        raise _no_time(value)
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        return call.now().timestamp() - _span(value)
    return (at if at.tzinfo else at.replace(tzinfo=call.zone)).timestamp()


def _span(value: object) -> float:
    try:
        return values.seconds("--since", value)
    except InvalidInput:
        raise _no_time(value) from None


def _no_time(value: object) -> InvalidInput:
    hint = "Write 2026-12-01T06:30 or '2 hours'."
    return InvalidInput(f"--since is an instant or a length of time, not {value!r}", hint=hint)
