"""Published pipelines of a workspace, synchronously: list, publish, submit, put in and out of use."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aml_magics.client.code_folder import code_reader
from aml_magics.client.connection import Collection, StatusChange
from aml_magics.client.finding import find_pipeline, find_pipelines, started_by
from aml_magics.client.fitting import check_in_use, fit_data_paths, fit_parameters, plain_value, split_data_paths
from aml_magics.client.names import (
    as_data_path,
    check_data_path,
    check_experiment_name,
    check_flag,
    check_mapping,
    check_text,
)
from aml_magics.model.errors import Conflict, InvalidInput, NotFound
from aml_magics.model.graph import PipelineDefinition
from aml_magics.model.resources import DataPath, DataPathParameter, Parameter, Pipeline, Status, Submission
from aml_magics.wire.v1 import definition_digest

if TYPE_CHECKING:
    from aml_magics.client.v1 import WorkspaceClient
    from aml_magics.model.resources import ParameterValue, PipelineEndpoint, Run

__all__ = ["Pipelines", "check_unused", "read_definition"]

_SHOWN = 10  # schedules in a message


class Pipelines(Collection):
    """``workspace.pipelines``: what can be run, by hand or by a schedule."""

    def list(self, *, active_only: bool = True) -> builtins.list[Pipeline]:
        """Published pipelines, newest first; ``active_only=False`` has the disabled ones too."""
        found = self._connection.run(self._client.pipelines(active_only=active_only))
        return sorted(
            found, key=lambda pipeline: pipeline.created.timestamp() if pipeline.created else 0.0, reverse=True
        )

    def get(self, name_or_id: str | Pipeline) -> Pipeline:
        """One pipeline by id, by name (the newest active one, then the newest), or by the beginning of its id.

        Raises ``NotFound`` with the nearest name, ``InvalidInput`` with the candidates when several ids begin so.

        >>> ws.pipelines.get("train").parameters
        """
        return self._connection.run(find_pipeline(self._client, name_or_id))

    def endpoints(self, *, active_only: bool = True) -> builtins.list[PipelineEndpoint]:
        """Pipeline endpoints, newest first: names that stay while the pipelines behind them change.

        ``active_only=False`` has the disabled ones too.

        >>> [(one.name, one.default_version, one.pipeline_id) for one in ws.pipelines.endpoints()]
        """
        found = self._connection.run(self._client.endpoints(active_only=active_only))
        return sorted(found, key=lambda one: one.created.timestamp() if one.created else 0.0, reverse=True)

    def publish(
        self,
        definition: PipelineDefinition | None = None,
        *,
        source: str | None = None,
        file: Path | str | None = None,
        name: str = "",
        parameters: Mapping[str, ParameterValue] | None = None,
        data_paths: Mapping[str, DataPath | str | None] | Iterable[str] = (),
        description: str = "",
        version: str = "",
        continue_on_step_failure: bool | None = None,
        timeout: float | None = None,
    ) -> Pipeline:
        """Publish a pipeline from one of three things: a definition, ``source`` or ``file``.

        ``source`` is a Python program: a pipeline of one step called ``name``. ``parameters`` are its parameters with
        their defaults, ``data_paths`` its data path parameters (names, or names with defaults): the program gets each
        on its command line as ``--name value``, a data path as a local path. ``timeout`` is in seconds.

        ``file`` is such a program (``.py``) or a pipeline in Azure ML's v2 YAML (``.yml``), whose ``code`` folders are
        read from beside it; name, description, version and ``continue_on_step_failure`` that are given count more than
        what the YAML says. A pipeline is never changed: publishing something else under its name makes a new one, and
        the name means the newest. Publishing the same again gives the one that is there, so a cell can be run twice.

        Raises ``InvalidInput`` for what cannot be run, above 20 MiB of code a step too, and ``NotFound`` for the
        file.

        >>> ws.pipelines.publish(source="print('training')", name="train", parameters={"learning_rate": 0.1})
        """
        if [definition, source, file].count(None) != 2:
            message = "publish takes exactly one of a definition, source= and file="
            raise InvalidInput(message, hint="For example publish(file='pipeline.yml').")
        options = {
            "name": name,
            "parameters": check_mapping("parameters", parameters or {}),
            "data_paths": _data_paths(data_paths),
            "description": description,
            "version": version,
            "continue_on_step_failure": continue_on_step_failure,
            "timeout": timeout,
        }
        given = {key: value for key, value in options.items() if value not in (None, "", {})}
        if definition is None:
            definition = read_definition(source, file, given)
        elif not isinstance(definition, PipelineDefinition):
            message = f"publish: {definition!r} is no PipelineDefinition"
            raise InvalidInput(message, hint="Python text is source=..., the name of a file is file=...")
        elif given:
            message = f"the definition says {', '.join(given)} itself"
            raise InvalidInput(message, hint="Leave that out, or change the definition.")
        return self._connection.run(self._publish(definition))

    def submit(
        self,
        name_or_id: str | Pipeline,
        *,
        experiment_name: str | None = None,
        parameters: Mapping[str, ParameterValue | DataPath] | None = None,
        data_paths: Mapping[str, DataPath | str] | None = None,
        description: str = "",
        continue_on_step_failure: bool | None = None,
    ) -> Run:
        """Start a run now; it has not finished, often not even begun, when this returns.

        ``experiment_name`` is the pipeline's name unless it is given. Parameters that are not given keep their
        defaults; ``"0.1"`` for a number is 0.1. A data path is a ``DataPath`` or ``"datastore/path"``. Sent once:
        when the answer is lost (``ServiceError`` with ``status`` 0), the run may have been created.

        Raises ``NotFound``, ``InvalidInput`` for an unknown parameter (with the nearest name) or a value that does
        not fit, ``Conflict`` for a pipeline that is disabled.

        >>> run = ws.pipelines.submit("train", experiment_name="MyExperiment", parameters={"learning_rate": 0.01})
        >>> ws.runs.wait(run.id).status
        """
        submission = Submission(
            experiment_name=experiment_name or "",
            description=check_text("description", description or ""),
            continue_on_step_failure=check_flag("continue_on_step_failure", continue_on_step_failure),
        )
        return self._connection.run(self._submit(name_or_id, submission, parameters or {}, data_paths or {}))

    def disable(self, *names_or_ids: str | Pipeline) -> builtins.list[StatusChange[Pipeline]]:
        """Take pipelines out of use: nothing can be submitted to them any more. Each answer has the new state.

        A name means all active publications of it, an id the one. Everything is looked up before the first pipeline is
        changed. One that is disabled already stays so. Raises ``Conflict`` for a pipeline that an active schedule uses,
        naming the schedule.

        >>> [change.in_words() for change in ws.pipelines.disable("train")]
        """
        return self._connection.run(self._set_status(names_or_ids, Status.DISABLED))

    def enable(self, *names_or_ids: str | Pipeline) -> builtins.list[StatusChange[Pipeline]]:
        """Put pipelines back into use, by name the newest publication of it alone; otherwise as ``disable``."""
        return self._connection.run(self._set_status(names_or_ids, Status.ACTIVE))

    def check_unused(self, *names_or_ids: str | Pipeline) -> None:
        """Raises what ``disable`` would raise, ``Conflict`` for a pipeline that an active schedule uses among them."""
        self._connection.run(self._to_change(names_or_ids, Status.DISABLED))

    async def _publish(self, definition: PipelineDefinition) -> Pipeline:
        if self._client.is_embedded:
            named = [one for one in await self._client.pipelines() if one.name == definition.name]
            newest = max(named, key=lambda one: one.created.timestamp() if one.created else 0.0, default=None)
            if newest is not None and newest.digest == definition_digest(definition):
                return newest
        return await self._client.create_pipeline(definition)

    async def _submit(
        self,
        wanted: str | Pipeline,
        submission: Submission,
        parameters: Mapping[str, ParameterValue | DataPath],
        data_paths: Mapping[str, DataPath | str],
    ) -> Run:
        pipeline = await find_pipeline(self._client, wanted)
        check_in_use(pipeline)
        values, paths = split_data_paths(parameters, data_paths)
        datastores = [store.name for store in await self._client.datastores()] if paths else None
        filled = Submission(
            experiment_name=check_experiment_name(submission.experiment_name or pipeline.name),
            description=submission.description,
            parameters=fit_parameters(pipeline, values),
            data_paths=fit_data_paths(pipeline, paths, datastores),
            continue_on_step_failure=submission.continue_on_step_failure,
        )
        return await self._client.submit(pipeline.id, filled)

    async def _set_status(
        self, wanted: Iterable[str | Pipeline], status: Status
    ) -> builtins.list[StatusChange[Pipeline]]:
        changes = []
        for pipeline in await self._to_change(wanted, status):
            now = pipeline
            if pipeline.status is not status:
                now = await self._client.set_pipeline_status(pipeline.id, status)
            changes.append(StatusChange(now, pipeline.status))
        return changes

    async def _to_change(self, wanted: Iterable[str | Pipeline], status: Status) -> builtins.list[Pipeline]:
        """Those that are to get the status, once it is known that all of them may."""
        found = await find_pipelines(self._client, wanted, status)
        if status is not Status.ACTIVE:
            await check_unused(self._client, [pipeline for pipeline in found if pipeline.status is not status])
        return found


async def check_unused(client: WorkspaceClient, pipelines: Sequence[Pipeline]) -> None:
    """Raises ``Conflict`` when active schedules use one of them: the workspace would say so halfway through."""
    names = {pipeline.id: pipeline.name for pipeline in pipelines}
    listed = await client.listed_schedules() if names else []
    active = [one for one in listed if one.status is Status.ACTIVE]
    users = [(one.name, started) for one, started in await started_by(client, active) if started in names]
    if users:
        used = names[users[0][1]]
        called = sorted({name for name, started in users if names[started] == used})
        shown = ", ".join(called[:_SHOWN]) + (f" and {len(called) - _SHOWN} more" if len(called) > _SHOWN else "")
        message = f"pipeline {used!r} is used by active schedules: {shown}"
        raise Conflict(message, hint="Disable them first: %aml schedule disable NAME; nothing was changed.")


def read_definition(source: str | None, file: Path | str | None, options: Mapping[str, Any]) -> PipelineDefinition:
    """The definition of what ``publish`` was given. ``options`` are the arguments of ``publish`` that were given too.

    Raises ``InvalidInput`` or ``NotFound``.
    """
    name = options.get("name", "")
    if file is not None:
        if not isinstance(file, str | PathLike):
            message = f"file: {file!r} is no name of a file"
            raise InvalidInput(message, hint="Write for example file='pipeline.yml'.")
        path = Path(file).expanduser()
        source = _read_text(path)
        if path.suffix in (".yml", ".yaml"):
            return _from_yaml(source, path, options)
        name = name or path.stem
    if not name:
        message = "the pipeline has no name"
        raise InvalidInput(message, hint="Give it one: publish(source=..., name='train').")
    # Not needed to look at a workspace, and so not loaded for it.
    from aml_magics.wire.pipeline_cell import pipeline_from_source  # noqa: PLC0415

    return pipeline_from_source(
        check_text("source", source),
        name=name,
        parameters=tuple(
            Parameter(key, plain_value(key, value)) for key, value in options.get("parameters", {}).items()
        ),
        data_paths=tuple(
            DataPathParameter(key, _default_place(key, value)) for key, value in options.get("data_paths", {}).items()
        ),
        description=options.get("description", ""),
        version=options.get("version", ""),
        continue_on_step_failure=options.get("continue_on_step_failure", False),
        timeout=options.get("timeout"),
    )


def _data_paths(given: object) -> Mapping[str, object]:
    """Names to defaults, from such a mapping, from names, or from one name alone."""
    names = [given] if isinstance(given, str) else given  # one name is no list of letters
    if isinstance(names, Iterable) and not isinstance(names, Mapping):
        every = list(names)
        names = {check_text("data_paths", one): None for one in every}
        if len(names) < len(every):
            message = "data_paths: a name is there twice"
            raise InvalidInput(message, hint="Name each data path once.")
    return check_mapping("data_paths", {} if names is None else names)


def _default_place(name: str, value: object) -> DataPath | None:
    if value is None:
        return None
    place = as_data_path(name, value)
    check_data_path(name, place)
    return place


def _from_yaml(text: str, path: Path, options: Mapping[str, Any]) -> PipelineDefinition:
    from aml_magics.wire.pipeline_yaml import read_pipeline  # noqa: PLC0415 - PyYAML is not needed otherwise

    own = [key for key in options if key in ("parameters", "data_paths", "timeout")]
    if own:
        message = f"{path.name} says {', '.join(own)} itself"
        raise InvalidInput(message, hint="Write inputs: and limits: in the YAML.")
    name = options.get("name", "")
    definition = read_pipeline(text, read_code=code_reader(path.parent), name=name, what=path.name).definition
    return replace(definition, **options)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = f"there is no file {path.as_posix()!r}"
        raise NotFound(message, hint="Relative paths start at the current folder.") from None
    except UnicodeDecodeError:
        message = f"{path.as_posix()!r} is not UTF-8 text"
        raise InvalidInput(message, hint="Save it as UTF-8.") from None
    except OSError as error:
        message = f"{path.as_posix()!r} cannot be read: {(error.strerror or type(error).__name__).lower()}"
        raise InvalidInput(message) from None
