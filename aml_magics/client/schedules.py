"""Schedules of a workspace, synchronously: plan, create, list, put in and out of use, and what became of them."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, get_args

from aml_magics.client.connection import Collection, StatusChange
from aml_magics.client.finding import find_publications, find_schedule, find_schedules, started_by
from aml_magics.client.schedule_plan import IfExists, Request, SchedulePlan, carry_out, make_plan
from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.parsing import TRIGGER_KEYS, trigger_from
from aml_magics.model.resources import Missed, Schedule, Status
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence, Trigger

if TYPE_CHECKING:
    from aml_magics.model.history import History
    from aml_magics.model.resources import DataPath, ParameterValue, Pipeline, Run

__all__ = ["Schedules"]

_OPTIONS = (
    "pipeline",
    "experiment_name",
    "trigger",
    "description",
    "pipeline_parameters",
    "data_paths",
    "continue_on_step_failure",
    "status",
    "missed",
    "if_exists",
)


class Schedules(Collection):
    """``workspace.schedules``: what starts pipelines, by time or by change of data.

    Several schedules may have one name, when a replaced one is kept disabled; a name means the newest active one,
    then the newest. There is no deleting, as on Azure: disable what should not fire any more.
    """

    def list(self, *, active_only: bool = True, pipeline: str | Pipeline | None = None) -> builtins.list[Schedule]:
        """Schedules, newest first, of one pipeline when it is given; ``active_only=False`` has the disabled ones too.

        A pipeline's name means every publication of that name, an id the one. A schedule on a pipeline endpoint counts
        to what is its default version now.

        Raises ``NotFound`` for the pipeline.
        """
        return self._connection.run(self._list(active_only, pipeline))

    def get(self, name_or_id: str | Schedule) -> Schedule:
        """One schedule by id, by name, or by the beginning of its id. Raises ``NotFound`` with the nearest name."""
        return self._connection.run(find_schedule(self._client, name_or_id))

    def plan(
        self,
        name: str,
        *,
        pipeline: str | Pipeline,
        experiment_name: str | None = None,
        trigger: Trigger | None = None,
        description: str = "",
        pipeline_parameters: Mapping[str, ParameterValue | DataPath] | None = None,
        data_paths: Mapping[str, DataPath | str] | None = None,
        continue_on_step_failure: bool | None = None,
        status: str = Status.ACTIVE,
        missed: str = Missed.SKIP,
        if_exists: IfExists = "error",
        **trigger_options: object,
    ) -> SchedulePlan:
        """What ``create`` would do with the same arguments, without doing it. Raises what ``create`` would raise.

        >>> plan = ws.schedules.plan("nightly", pipeline="train", every="day", time_of_day="06:30")
        >>> plan.action, plan.schedule.trigger.in_words()
        """
        request = Request(
            name=name,
            pipeline=pipeline,
            experiment_name=experiment_name,
            trigger=_trigger(trigger, trigger_options),
            description=description or "",
            pipeline_parameters=pipeline_parameters or {},
            data_paths=data_paths or {},
            continue_on_step_failure=continue_on_step_failure,
            status=status,
            missed=missed,
            if_exists=_if_exists(if_exists),
        )
        return self._connection.run(make_plan(self._client, request))

    def create(
        self,
        name: str,
        *,
        pipeline: str | Pipeline,
        experiment_name: str | None = None,
        trigger: Trigger | None = None,
        description: str = "",
        pipeline_parameters: Mapping[str, ParameterValue | DataPath] | None = None,
        data_paths: Mapping[str, DataPath | str] | None = None,
        continue_on_step_failure: bool | None = None,
        status: str = Status.ACTIVE,
        missed: str = Missed.SKIP,
        if_exists: IfExists = "error",
        **trigger_options: object,
    ) -> Schedule:
        """Bind a pipeline, an experiment and a trigger together under a name, and return the schedule.

        The trigger is a value (``trigger=Recurrence(...)``) or is written with the SDK's names:

        * by time: ``frequency`` ("Minute", "Hour", "Day", "Week", "Month"; "Second" in a kernel), ``interval``,
          ``start_time`` and ``time_zone``, ``hours``, ``minutes``, ``week_days``, ``time_of_day``; or
          ``every="15 minutes"``
        * by cron: ``cron="0 6 * * 1-5"``
        * by change: ``datastore``, ``path_on_datastore``, ``polling_interval`` (minutes, or ``"5s"``),
          ``data_path_parameter_name``, ``recursive``, ``per``, ``settle``; which changes count: ``pattern``
          (``"*.csv"``; with a ``/`` it is for the whole name below the path, else for its last part), ``min_size``
          (bytes, or ``"10 KB"``), ``on`` ("added", "modified", "removed" or several; the first two unless given);
          ``max_runs_per_poll`` (with ``per="file"``: the rest waits for the next poll), ``append_only``. A run for a
          removed file gets its path as the data path; nothing is there any more

        ``pipeline`` is a name, an id or a ``Pipeline``; ``experiment_name`` the pipeline's name unless it is given.
        ``continue_on_step_failure`` overrides the pipeline's own. ``status="Disabled"`` makes it inactive from birth.
        ``missed`` says what becomes of times that fell due while no kernel was there: ``skip``, ``once`` or ``all``.

        When an active schedule of that name is the same, it is returned and nothing is made, so a cell can be run
        again. When it differs, ``if_exists`` decides: ``error`` raises ``Conflict`` naming what differs, ``skip``
        returns it, ``replace`` makes the new one and then disables the old one (never the other way round: a failure
        in between must not leave none).

        Raises ``InvalidInput`` for anything that is wrong, with the nearest known word; ``NotFound`` for the pipeline
        or the datastore; ``Conflict``. Nothing is made then.

        >>> ws.schedules.create(
        ...     "MyRecurringSchedule", pipeline="train", experiment_name="MyExperiment", frequency="Minute", interval=15
        ... )
        >>> ws.schedules.create(
        ...     "MyReactiveSchedule",
        ...     pipeline="train",
        ...     datastore="workspaceblobstore",
        ...     path_on_datastore="incoming",
        ...     data_path_parameter_name="input_data",
        ... )
        """
        request = Request(
            name=name,
            pipeline=pipeline,
            experiment_name=experiment_name,
            trigger=_trigger(trigger, trigger_options),
            description=description or "",
            pipeline_parameters=pipeline_parameters or {},
            data_paths=data_paths or {},
            continue_on_step_failure=continue_on_step_failure,
            status=status,
            missed=missed,
            if_exists=_if_exists(if_exists),
        )
        return self._connection.run(self._create(request))

    def disable(self, *names_or_ids: str | Schedule) -> builtins.list[StatusChange[Schedule]]:
        """Stop schedules from firing; runs that they started go on. Each answer has the new state.

        All names are looked up before the first schedule is changed. One that is disabled already stays so, and its
        answer says so. Raises ``NotFound``, and ``InvalidInput`` when several active ones have the name.

        >>> [change.in_words() for change in ws.schedules.disable("MyRecurringSchedule", "nightly")]
        """
        return self._connection.run(self._set_status(names_or_ids, Status.DISABLED))

    def enable(self, *names_or_ids: str | Schedule) -> builtins.list[StatusChange[Schedule]]:
        """Let schedules fire again, from now on: what changed or fell due meanwhile does not count. As ``disable``."""
        return self._connection.run(self._set_status(names_or_ids, Status.ACTIVE))

    def runs(self, name_or_id: str | Schedule) -> builtins.list[Run]:
        """The runs that a schedule started, newest first."""
        return self._connection.run(self._runs(name_or_id))

    def last_run(self, name_or_id: str | Schedule) -> Run | None:
        """The newest run that a schedule started; ``None`` when it has started none."""
        return self._connection.run(self._last_run(name_or_id))

    def history(self, name_or_id: str | Schedule, *, limit: int = 50) -> History:
        """Did it fire, and if not, why: the newest ``limit`` fires and looks, and ``in_words()``.

        Works where this package hosts the schedule; raises ``InvalidInput`` elsewhere.

        >>> ws.schedules.history("MyReactiveSchedule").in_words()
        """
        return self._connection.run(self._history(name_or_id, limit))

    async def _list(self, active_only: bool, pipeline: str | Pipeline | None) -> builtins.list[Schedule]:
        if pipeline is None:
            found = await self._client.schedules(active_only=active_only)
        else:
            ids = {publication.id for publication in await find_publications(self._client, pipeline)}
            found = await self._of_pipelines(ids, active_only)
        return sorted(found, key=lambda one: one.created.timestamp() if one.created else 0.0, reverse=True)

    async def _of_pipelines(self, ids: set[str], active_only: bool) -> builtins.list[Schedule]:
        """Of all that there are: the service's own filter leaves out those on a pipeline endpoint."""
        listed = await self._client.listed_schedules()
        wanted = [one for one in listed if not active_only or one.status is Status.ACTIVE]
        starting = await started_by(self._client, wanted)
        return await self._client.read_listed([one for one, pipeline_id in starting if pipeline_id in ids])

    async def _create(self, request: Request) -> Schedule:
        return await carry_out(self._client, await make_plan(self._client, request))

    async def _set_status(
        self, wanted: Iterable[str | Schedule], status: Status
    ) -> builtins.list[StatusChange[Schedule]]:
        changes = []
        for schedule in await find_schedules(self._client, wanted):
            now = schedule
            if schedule.status is not status:
                now = await self._client.set_schedule_status(schedule.id, status)
            changes.append(StatusChange(now, schedule.status))
        return changes

    async def _runs(self, wanted: str | Schedule) -> builtins.list[Run]:
        schedule = await find_schedule(self._client, wanted)
        found = await self._client.runs_of_schedule(schedule.id)
        return sorted(found, key=lambda one: one.created.timestamp() if one.created else 0.0, reverse=True)

    async def _last_run(self, wanted: str | Schedule) -> Run | None:
        return await self._client.last_run_of_schedule((await find_schedule(self._client, wanted)).id)

    async def _history(self, wanted: str | Schedule, limit: int) -> History:
        return await self._client.history((await find_schedule(self._client, wanted)).id, limit=limit)


def _trigger(trigger: Trigger | None, options: Mapping[str, object]) -> Trigger:
    """The one trigger that was given, in one of its forms. Raises ``InvalidInput`` for both, none, or unknown words."""
    for option in options:
        if option not in TRIGGER_KEYS:
            message = f"{option!r} is no option of a schedule"
            raise InvalidInput(message, hint=did_you_mean(option, [*TRIGGER_KEYS, *_OPTIONS]))
    given = sorted(name for name, value in options.items() if value is not None)
    if trigger is None:
        return trigger_from(options)
    if given:
        message = f"a schedule has one trigger: trigger= does not go together with {', '.join(given)}"
        raise InvalidInput(message, hint="Keep one of the two forms.")
    if not isinstance(trigger, Recurrence | Cron | DatastoreChange):
        message = f"trigger: {trigger!r} is no trigger"
        raise InvalidInput(message, hint="Give a Recurrence, a Cron or a DatastoreChange, or write its options.")
    return trigger


def _if_exists(word: IfExists) -> IfExists:
    if word not in get_args(IfExists):
        message = f"if_exists: {word!r} is not one of its words"
        raise InvalidInput(message, hint=did_you_mean(str(word), get_args(IfExists)))
    return word
