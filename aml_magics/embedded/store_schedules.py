"""Schedules: kept as the entities that are answered, with their triggers as values for the engine.

Whatever a client sends is kept, known here or not: a PUT carries what a GET answered, with changes, and a client
that does not know a field must not lose it. Fields that a PUT leaves out stay as they are.

A change is prepared first (``prepare_create``, ``prepare_update``: everything that can be refused is refused) and then
written by ``write`` on the connection of somebody's transaction, because a change schedule is born, or enabled
again, in the same transaction that brings the snapshot of its place up to date.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aml_magics.embedded.store_checks import check_data_path_parameter, settled_data_paths, settled_parameters
from aml_magics.embedded.store_experiments import check_experiment_name
from aml_magics.embedded.store_memory import Remembered
from aml_magics.engine.host import Watch
from aml_magics.engine.looks import Place
from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound
from aml_magics.model.resources import Schedule, Status
from aml_magics.model.triggers import DatastoreChange
from aml_magics.wire.casing import Body, Json, merge
from aml_magics.wire.moments import instant_from, instant_to
from aml_magics.wire.v1 import schedule_creation_from, schedule_from, schedule_to, schedule_trigger_from

if TYPE_CHECKING:
    from aml_magics.embedded.store_datastores import Datastores
    from aml_magics.embedded.store_endpoints import Endpoints
    from aml_magics.engine.database import Database

__all__ = ["Prepared", "Schedules", "Superseded"]

_SUBMISSION = "PipelineSubmissionInfo"
_TRIGGERS = ("Recurrence", "DataStoreTriggerInfo")
_TRIGGER_ADDITIONS = (
    *("Cron", "TimeZone", "PollingSeconds", "SettleSeconds", "Recursive", "Per"),
    *("Pattern", "MinSize", "On", "MaxRunsPerPoll", "AppendOnly"),
)


class Superseded(Conflict):
    """What was prepared rests on a schedule that somebody has changed meanwhile: prepare it again."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A schedule that may be written. ``joins``: it begins to watch a place. ``before`` is what it replaces."""

    schedule: Schedule
    entity: Json
    joins: bool
    before: Json | None = None


class Schedules:
    """The schedules of one workspace."""

    def __init__(
        self, database: Database, endpoints: Endpoints, datastores: Datastores, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._endpoints = endpoints
        self._datastores = datastores
        self._now = now
        self._watches: dict[tuple[str, int], Watch] = {}
        self._read: Remembered[Schedule] = Remembered()
        self.unreadable: dict[str, str] = {}  # schedule id -> why it does not fire

    def list_text(
        self, *, active_only: bool = False, pipeline_id: str | None = None, endpoint_id: str | None = None
    ) -> str:
        """A JSON array of PipelineScheduleEntities, newest first, put together without reading any of them."""
        wanted = {"pipeline_id": pipeline_id, "endpoint_id": endpoint_id}
        wanted = {column: value for column, value in wanted.items() if value is not None}
        conditions = [f"{column} = ?" for column in wanted] + (["status = 'Active'"] if active_only else [])
        parameters = tuple(wanted.values())
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = self._database.rows(f"SELECT entity FROM schedules {where} ORDER BY created DESC, id", parameters)
        return f"[{','.join(row['entity'] for row in rows)}]"

    def entity(self, schedule_id: str) -> Json:
        """The PipelineScheduleEntity. Raises ``NotFound``."""
        row = self._database.row("SELECT entity FROM schedules WHERE id = ?", (schedule_id,))
        if row is None:
            message = f"there is no schedule with the id {schedule_id!r}"
            raise NotFound(message, hint="The list of schedules shows the ids, disabled ones too.")
        entity: Json = json.loads(row["entity"])
        return entity

    def get(self, schedule_id: str) -> Schedule:
        return schedule_from(self.entity(schedule_id))

    def watches(self) -> list[Watch]:
        """All active schedules. A trigger is read from its JSON once for each revision of its schedule.

        One that cannot be read any more (a zone that this machine does not know) is left out and is in ``unreadable``:
        it must not keep the others from firing.
        """
        self.unreadable = {}
        known: dict[tuple[str, int], Watch] = {}
        fresh = [key for key in self._active_keys() if not self._keep(key, known)]
        for start in range(0, len(fresh), 500):
            ids = [schedule_id for schedule_id, _ in fresh[start : start + 500]]
            marks = ",".join("?" * len(ids))
            for row in self._database.rows(f"SELECT * FROM schedules WHERE id IN ({marks})", ids):
                try:
                    known[row["id"], row["revision"]] = _watch(row)
                except AmlError as error:
                    self.unreadable[row["id"]] = f"schedule {row['name']!r}: {error}"
        self._watches = known
        return list(known.values())

    def prepare_create(self, request: Mapping[str, Any]) -> Prepared:
        """A new schedule from a ScheduleCreationInfo. Raises an ``AmlError`` for whatever is wrong with it."""
        given = schedule_creation_from(request)
        now = self._now()
        schedule = replace(given, id=str(uuid.uuid4()), created=now, modified=now)
        self._check(schedule)
        return Prepared(schedule, _entity(request, schedule, 1), _place(schedule) is not None)

    def prepare_update(self, schedule_id: str, request: Mapping[str, Any]) -> Prepared:
        """The stored schedule with the fields of ``request`` over it, as if it were created so."""
        before = self.entity(schedule_id)
        merged = _merged(before, request)
        old, new = schedule_from(before), schedule_from(merged)
        schedule = replace(new, id=schedule_id, created=old.created, host=old.host, modified=self._now())
        if schedule.status is Status.ACTIVE:
            self._check(schedule)
        moves = _place(schedule) is not None and _place(schedule) != _place(old)
        return Prepared(schedule, _entity(merged, schedule, _revision(before) + 1), moves, before)

    def write(self, connection: sqlite3.Connection, prepared: Prepared) -> None:
        """Store it, in the caller's transaction. Raises what has become of it meanwhile, in another process."""
        schedule = prepared.schedule
        if schedule.status is Status.ACTIVE:
            self._endpoints.started_by(schedule, f"schedule {schedule.name!r}")
        change = schedule.trigger if isinstance(schedule.trigger, DatastoreChange) else None
        if (
            change is not None
            and not connection.execute("SELECT 1 FROM datastores WHERE name = ?", (change.datastore,)).fetchone()
        ):
            message = f"schedule {schedule.name!r}: datastore {change.datastore!r} is gone"
            raise NotFound(message)
        revision = _revision(prepared.entity)
        if prepared.before is not None:
            row = connection.execute("SELECT revision FROM schedules WHERE id = ?", (schedule.id,)).fetchone()
            if row is None or row["revision"] != _revision(prepared.before):
                message = f"schedule {schedule.name!r} was changed by somebody else at the same moment"
                raise Superseded(message, hint="Try again.")
        columns = {
            "id": schedule.id,
            "name": schedule.name,
            "status": schedule.status.value,
            "pipeline_id": schedule.pipeline_id or None,
            "endpoint_id": schedule.endpoint_id or None,
            "datastore": change.datastore if change else None,
            "created": instant_to(schedule.created),
            "revision": revision,
            "entity": json.dumps(prepared.entity),
        }
        connection.execute(
            f"INSERT OR REPLACE INTO schedules ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            tuple(columns.values()),
        )

    def active(self, connection: sqlite3.Connection, schedule_id: str) -> Schedule | None:
        """The schedule when it is active now, read once for each of its revisions; ``None`` when it is not."""
        row = connection.execute("SELECT status, revision FROM schedules WHERE id = ?", (schedule_id,)).fetchone()
        if row is None or row["status"] != Status.ACTIVE:
            return None
        return self._read.get((schedule_id, row["revision"]), lambda: self.get(schedule_id))

    def _active_keys(self) -> list[tuple[str, int]]:
        rows = self._database.rows("SELECT id, revision FROM schedules WHERE status = 'Active' ORDER BY created, id")
        return [(row["id"], row["revision"]) for row in rows]

    def _keep(self, key: tuple[str, int], known: dict[tuple[str, int], Watch]) -> bool:
        if key in self._watches:
            known[key] = self._watches[key]
        return key in self._watches

    def _check(self, schedule: Schedule) -> None:
        """Refuse whatever would make every one of its fires fail."""
        if not schedule.name.strip():
            message = "schedule: it has no name"
            raise InvalidInput(message, hint="Give it one.")
        what = f"schedule {schedule.name!r}"
        check_experiment_name(schedule.experiment_name, what)
        _check_target(schedule, what)
        pipeline = self._endpoints.started_by(schedule, what)
        settled_parameters(pipeline, schedule.pipeline_parameters, what)
        trigger = schedule.trigger
        set_by_fire = trigger.data_path_parameter_name if isinstance(trigger, DatastoreChange) else None
        if set_by_fire is not None:
            check_data_path_parameter(pipeline, set_by_fire, what)
        settled_data_paths(pipeline, schedule.data_paths, what, later=() if set_by_fire is None else (set_by_fire,))
        for path in schedule.data_paths.values():
            self._datastores.get(path.datastore)
        if isinstance(trigger, DatastoreChange):
            self._datastores.object_store(trigger.datastore)


def _place(schedule: Schedule) -> Place | None:
    """The place that a schedule watches now; ``None`` when it watches none."""
    trigger = schedule.trigger
    if schedule.status is not Status.ACTIVE or not isinstance(trigger, DatastoreChange):
        return None
    return Place.of(trigger)


def _check_target(schedule: Schedule, what: str) -> None:
    if not schedule.pipeline_id and not schedule.endpoint_id:
        message = f"{what}: it names no pipeline"
        raise InvalidInput(message, hint="Give the id of a published pipeline, or of a pipeline endpoint.")
    if schedule.pipeline_id and schedule.endpoint_id:
        message = f"{what}: it names a pipeline and a pipeline endpoint"
        raise InvalidInput(message, hint="Name one of them.")


def _watch(row: sqlite3.Row) -> Watch:
    trigger, missed = schedule_trigger_from(json.loads(row["entity"]))
    created = instant_from(row["created"]) or datetime.fromtimestamp(0, UTC)
    return Watch(id=row["id"], name=row["name"], trigger=trigger, created=created, missed=missed)


def _merged(before: Json, request: Mapping[str, Any]) -> Json:
    """The stored entity with what was sent over it.

    One level deeper for the submission, because a client that does not know a field of it leaves it out. A trigger that
    was sent with other values replaces our additions to the old one, which its sender could not see.
    """
    merged = merge(before, request)
    sent = {name.casefold(): value for name, value in request.items()}
    submission = sent.get(_SUBMISSION.casefold())
    if isinstance(submission, Mapping):
        merged[_SUBMISSION] = merge(before[_SUBMISSION], submission)
    if "amlmagics" not in sent:
        ours = dict(before.get("AmlMagics") or {})
        if _triggers(merged) != _triggers(before):
            ours = {name: value for name, value in ours.items() if name not in _TRIGGER_ADDITIONS}
        merged["AmlMagics"] = ours
    return merged


def _triggers(entity: Json) -> tuple[Any, ...]:
    """The trigger of an entity in a form that compares: names without case, absent and ``null`` the same."""
    kind = str(entity.get("ScheduleType"))
    return ({"0": "Recurrence", "1": "DataStore"}.get(kind, kind), *(_plain(entity.get(name)) for name in _TRIGGERS))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(name).casefold(): _plain(item) for name, item in value.items() if item is not None}
    return value


def _entity(sent: Mapping[str, Any], schedule: Schedule, revision: int) -> Json:
    """What is stored: the sent fields, those that we know in our own spelling, the trigger that counts and no other."""
    known = schedule_to(schedule)
    entity = merge({}, {name: value for name, value in sent.items() if name.casefold() not in _folded(known)})
    body = Body(sent, "schedule")
    submission = body.mapping(_SUBMISSION)
    extras = {name: value for name, value in submission.items() if name.casefold() not in _folded(known[_SUBMISSION])}
    entity |= {name: value for name, value in known.items() if value is not None}
    entity[_SUBMISSION] = extras | {name: value for name, value in known[_SUBMISSION].items() if value is not None}
    return entity | {"Etag": f'"{revision}"'}


def _folded(names: Mapping[str, Any]) -> set[str]:
    return {name.casefold() for name in names} | {"etag"}


def _revision(entity: Json) -> int:
    return int(entity["Etag"].strip('"'))
