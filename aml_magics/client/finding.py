"""Looking up what a name, an id or the beginning of an id means, with the calls that this takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aml_magics.client.names import SHORTEST_PREFIX, is_id, named, pick, pick_id, pick_publications, reference
from aml_magics.client.v1_runs import endpoint_id_of, pipeline_id_of
from aml_magics.model.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from aml_magics.client.v1 import ListedSchedule, WorkspaceClient
    from aml_magics.model.resources import Pipeline, Run, Schedule, Status

__all__ = [
    "find_pipeline",
    "find_pipelines",
    "find_publications",
    "find_run",
    "find_schedule",
    "find_schedules",
    "started_by",
]


async def find_pipeline(client: WorkspaceClient, wanted: str | Pipeline) -> Pipeline:
    """One pipeline, disabled ones included. Raises ``NotFound`` or ``InvalidInput``."""
    text = reference("pipeline", wanted)
    if is_id(text):
        try:
            return await client.pipeline(text)
        except NotFound:
            pass  # a name may look like an id; and the list knows the nearest name
    found = pick("pipeline", text, await client.pipelines(active_only=False))
    # Azure's lists do not tell the types of parameters.
    return found if client.is_embedded else await client.pipeline(found.id)


async def find_publications(client: WorkspaceClient, wanted: str | Pipeline) -> list[Pipeline]:
    """Every publication that a filter by pipeline means: by name all of that name, newest first; by id or value one.

    Those of a list from Azure do not have the types of their parameters. Raises ``NotFound`` or ``InvalidInput``.
    """
    text = reference("pipeline", wanted)
    if is_id(text):
        try:
            return [await client.pipeline(text)]
        except NotFound:
            pass  # as above
    everything = await client.pipelines(active_only=False)
    if not isinstance(wanted, str) or any(one.id == text for one in everything):
        return [pick("pipeline", text, everything)]
    publications = named(text, everything) or [pick("pipeline", text, everything)]
    return sorted(publications, key=lambda one: one.created.timestamp() if one.created else 0.0, reverse=True)


async def find_schedule(client: WorkspaceClient, wanted: str | Schedule) -> Schedule:
    """One schedule, disabled ones included. Raises ``NotFound`` or ``InvalidInput``."""
    text = reference("schedule", wanted)
    if is_id(text):
        try:
            return await client.schedule(text)
        except NotFound:
            pass  # as above
    (found,) = await client.read_listed([pick("schedule", text, await client.listed_schedules())])
    return found


async def find_pipelines(client: WorkspaceClient, wanted: Iterable[str | Pipeline], status: Status) -> list[Pipeline]:
    """Those that are to get ``status``, each once, in their order; see ``pick_publications`` for what a name means.

    Raises for the first that is not found, before anything changed.
    """
    texts = _references("pipeline", wanted)
    everything = await client.pipelines(active_only=False)
    found = [pipeline for text in texts for pipeline in pick_publications(text, everything, status)]
    return list({pipeline.id: pipeline for pipeline in found}.values())


async def find_schedules(client: WorkspaceClient, wanted: Iterable[str | Schedule]) -> list[Schedule]:
    """Several to change, each once, in their order; a name that several active ones have is refused.

    Raises for the first that is not found, before anything changed.
    """
    texts = _references("schedule", wanted)
    everything = await client.listed_schedules()
    found = [pick("schedule", text, everything, to_change=True) for text in texts]
    return await client.read_listed(list({schedule.id: schedule for schedule in found}.values()))


async def find_run(client: WorkspaceClient, wanted: str | Run) -> Run:
    """One run by its id, or by the beginning of it among the newest. Raises ``NotFound`` or ``InvalidInput``."""
    text = reference("run", wanted)
    hint = "The list of runs shows their ids."
    if is_id(text):
        try:
            return await client.run(text)
        except NotFound:
            raise NotFound(f"there is no run {text!r}", hint=hint) from None
    if len(text) >= SHORTEST_PREFIX:
        chosen = pick_id("run", text, dict.fromkeys(await client.newest_run_ids(), ""))
        if chosen is not None:
            return await client.run(chosen)
    raise NotFound(
        f"there is no run {text!r}", hint=f"{hint} The first {SHORTEST_PREFIX} characters of one are enough."
    )


async def started_by(client: WorkspaceClient, schedules: Sequence[ListedSchedule]) -> list[tuple[ListedSchedule, str]]:
    """Each with the id of the pipeline that it starts: of a pipeline endpoint that is the default version."""
    defaults: dict[str, str] = {}
    if any(endpoint_id_of(one.entity) for one in schedules):
        defaults = {one.id: one.pipeline_id for one in await client.endpoints(active_only=False)}
    return [(one, pipeline_id_of(one.entity) or defaults.get(endpoint_id_of(one.entity), "")) for one in schedules]


def _references(what: str, wanted: Iterable[str | Pipeline | Schedule]) -> list[str]:
    texts = [reference(what, one) for one in wanted]
    if not texts:
        message = f"no {what} is named"
        raise InvalidInput(message, hint="Give names or ids.")
    return texts
