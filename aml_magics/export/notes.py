"""What an export does otherwise than the schedule, or not at all: one text for each thing, for people.

Nothing of a schedule is dropped without a word here. What would make the export useless is refused where it is made.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aml_magics.model.change import DatastoreChange
from aml_magics.model.cron import Cron
from aml_magics.model.recurrence import Recurrence
from aml_magics.model.resources import Missed, Status

if TYPE_CHECKING:
    from aml_magics.export.source import Source

__all__ = ["data_factory_differences", "logic_app_differences"]

_SECOND = timedelta(seconds=1)
_DEFAULT_SETTLE = DatastoreChange(datastore="any").settle


def logic_app_differences(source: Source, name: str) -> tuple[str, ...]:
    """Of a Logic App."""
    trigger = source.schedule.trigger
    found = _shared(source, name, "Logic App")
    if source.schedule.description:
        found.append(f"The description {source.schedule.description!r} stays here: a Logic App has none.")
    if isinstance(trigger, DatastoreChange):
        found += _blob_trigger(trigger)
    elif source.schedule.missed is not Missed.SKIP:
        found.append(
            f"missed: {source.schedule.missed.value} is not known: times missed while disabled are not made up."
        )
    window = source.conditions.window
    if window and isinstance(trigger, DatastoreChange):
        found.append("Files that come outside the window never start a run, also not when it opens.")
    if source.conditions.concurrency is not None:
        found.append("concurrency, once set on a trigger, cannot be taken off again, only changed.")
    return tuple(found)


def data_factory_differences(source: Source, name: str, kind: str) -> tuple[str, ...]:
    """Of Data Factory; ``kind`` is the type of its trigger."""
    trigger = source.schedule.trigger
    found = _shared(source, name, "Data Factory pipeline")
    if source.schedule.continue_on_step_failure is not None and source.batch_endpoint:
        found.append("continue_on_step_failure stays here: the deployment of a batch endpoint says it itself.")
    if isinstance(trigger, DatastoreChange):
        found += _events(trigger, is_batch=bool(source.batch_endpoint))
    else:
        found += _by_time(source, kind)
    return tuple(found)


def _shared(source: Source, name: str, what: str) -> list[str]:
    schedule = source.schedule
    found = []
    if name != schedule.name:
        found.append(f"The {what} is called {name}: Azure does not take {schedule.name!r} for its name.")
    if schedule.id and schedule.status is not Status.ACTIVE:
        found.append("The schedule itself is disabled; the export, too, does nothing until it is turned on.")
    elif schedule.id:
        found.append("The schedule stays active: disable it when the export takes over, or both start runs.")
    return found


def _blob_trigger(trigger: DatastoreChange) -> list[str]:
    found = ["The Logic App sees the files that come after it is enabled."]
    if trigger.recursive:
        found.append("recursive: a Logic App does not see sub-folders; name each with folders, or use data-factory.")
    else:
        found.append("Sub-folders are not seen, as in the schedule.")
    if "modified" not in trigger.on or "removed" in trigger.on:
        found.append(
            f"on: {', '.join(trigger.on)}: a Logic App always fires for added and modified, never for removed."
        )
    if trigger.pattern:
        found.append("pattern: capital and small letters are the same to a Logic App where * stands beside a text.")
    if trigger.settle != _DEFAULT_SETTLE:
        found.append(
            "settle: a Logic App does not wait until a file is at rest: upload under another name, then rename."
        )
    if trigger.polling_interval % _SECOND:
        found.append("polling_interval: a Logic App looks in whole seconds.")
    if trigger.append_only:
        found.append("append_only: not needed, a Logic App lists the whole folder at each poll.")
    if trigger.per == "batch":
        found.append("per: batch: one run a poll, but a poll need not return all files: at most 100 at a time.")
    if (trigger.max_runs_per_poll or 0) > 100:
        found.append(f"max_runs_per_poll: {trigger.max_runs_per_poll} becomes 100, the most files of one poll.")
    return found


def _events(trigger: DatastoreChange, *, is_batch: bool) -> list[str]:
    found = ["The storage account tells of new files within seconds: polling_interval has no counterpart."]
    if trigger.recursive:
        found.append("Sub-folders are seen, as in the schedule.")
    elif is_batch:
        found.append("Files in sub-folders start a job too: events come for them, and nothing asks before Start_job.")
    else:
        found.append("Events come for files in sub-folders too; their pipeline runs end at once, without a run.")
    if trigger.pattern:
        found.append("pattern: capital and small letters may be the same to Data Factory.")
    if trigger.per == "batch":
        found.append("per: batch: Data Factory starts one run for each file.")
    if set(trigger.on) & {"added", "modified"} and not {"added", "modified"} <= set(trigger.on):
        found.append(f"on: {', '.join(trigger.on)}: to Azure a file that is written over is BlobCreated, as a new one.")
    if trigger.min_size > 1:
        found.append(f"min_size: {trigger.min_size}: an event's size is not asked; only empty files are left out.")
    if trigger.settle != _DEFAULT_SETTLE:
        found.append("settle: an event comes when a file is closed; there is no waiting until it is at rest.")
    if trigger.append_only:
        found.append("append_only: not needed, nothing is listed.")
    if trigger.max_runs_per_poll is not None:
        found.append("max_runs_per_poll: there are no polls; concurrency limits how many runs there are at a time.")
    return found


def _by_time(source: Source, kind: str) -> list[str]:
    schedule = source.schedule
    found = []
    if kind == "TumblingWindowTrigger":
        found.append("missed: all is a TumblingWindowTrigger: it makes up every window since its start, in UTC.")
    elif schedule.missed is not Missed.SKIP:
        found.append(f"missed: {schedule.missed.value}: a ScheduleTrigger does not make up times missed while stopped.")
    trigger = schedule.trigger
    if isinstance(trigger, Recurrence | Cron) and trigger.start_time is None and not _has_anchor(source):
        found.append("Data Factory wants a start: it is the time of this export.")
    if isinstance(trigger, Recurrence) and trigger.frequency in ("Minute", "Hour") and _has_summer_time(trigger):
        found.append("Data Factory keeps to summer time only at Day or coarser: this one moves by an hour.")
    return found


def _has_anchor(source: Source) -> bool:
    """Whether the times count from when the schedule was made."""
    return isinstance(source.schedule.trigger, Recurrence) and source.schedule.created is not None


def _has_summer_time(trigger: Recurrence) -> bool:
    """Whether the zone's clock changes within a year."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from aml_magics.model.zones import zone  # noqa: PLC0415

    there = zone(trigger.time_zone)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return len({(begin + timedelta(days=30 * month)).astimezone(there).utcoffset() for month in range(12)}) > 1
