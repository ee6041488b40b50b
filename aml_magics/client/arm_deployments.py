"""Deploying a template into a resource group: check it, say what it would change, carry it out, say what failed.

A deployment has the same name each time, so that two of one export cannot run at once, and so that one whose answer
was lost, or whose watching was interrupted, is found again instead of being made a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aml_magics.client.arm import StillGoing
from aml_magics.client.calls import read, read_object, segment
from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotFound, ServiceError
from aml_magics.wire.arm_deployments import (
    DEPLOYMENTS,
    Deployment,
    changes_from,
    deployment_from,
    deployment_to,
    failed_operations_from,
)

if TYPE_CHECKING:
    from aml_magics.client.arm import Manager, Where
    from aml_magics.client.parcels import Parcel
    from aml_magics.client.transport import Answer
    from aml_magics.model.hosted import PlannedChange
    from aml_magics.wire.casing import Json

__all__ = ["Deploying", "deployment_name", "give_roles"]

_LONGEST_NAME = 64
_RUN_AGAIN = "It goes on on Azure. Run the same line again: it waits for that one first"
Tell = Callable[[str], None]


def deployment_name(kind: str, name: str) -> str:
    """``logic-app-NAME``: the same for the same export."""
    return f"{kind}-{name}"[:_LONGEST_NAME].rstrip(".")


class Deploying:
    """One deployment into one resource group; ``body`` is what ``deployment_to`` makes of a template and its values.

    ``tell`` gets what happens, a line each.
    """

    def __init__(self, manager: Manager, where: Where, name: str, tell: Tell = lambda _text: None) -> None:
        self._manager = manager
        self._path = f"{where.provider('Microsoft.Resources/deployments')}/{segment(name)}"
        self._where = where
        self._tell = tell
        self.name = name

    async def wait(self, *, patience: float | None = None) -> None:
        """Wait for one of this name that is under way, if there is one: it would be in the way."""
        former = await self._now()
        if former is not None and not former.has_ended:
            self._tell(f"A deployment {self.name!r} was under way: it was waited for first.")
            await self._end(former, patience)

    async def validate(self, body: Json) -> None:
        """Raises ``InvalidInput`` with the reasons when the resource manager refuses the template."""
        answer = await self._asked("validate", body)
        error = answer.get("error") if isinstance(answer, dict) else None
        if error:
            deployment = read("the deployment", deployment_from, {"properties": {"error": error}})
            raise _refused(self.name, "; ".join(deployment.error))

    async def changes(self, body: Json) -> list[PlannedChange]:
        """What carrying it out would create or modify."""
        answer = read_object("the changes", await self._asked("whatIf", body))
        error = answer.get("error")
        if error:
            deployment = read("the deployment", deployment_from, {"properties": {"error": error}})
            raise _refused(self.name, "; ".join(deployment.error))
        return read("the changes", changes_from, answer)

    async def carry_out(self, body: Json, *, patience: float | None = None) -> Deployment:
        """Create or change what the template says, and wait for it.

        Raises ``ServiceError`` with the reason of each operation that failed, ``Conflict`` when another deployment of
        this name is under way, ``StillGoing``.
        """
        answer = await self._put(body)
        try:
            if answer is not None:
                await self._manager.settled(answer, patience=patience)
        except StillGoing as error:
            raise self._still_going() from error
        except ServiceError as error:
            if error.status != 200:  # not the deployment failed, the look at it did
                message = f"the deployment {self.name!r} cannot be watched: {error.message}"
                raise StillGoing(message, hint=f"{_RUN_AGAIN}.") from error
        return await self._outcome(patience)

    async def _asked(self, what: str, body: Json) -> Any:  # noqa: ANN401 - JSON
        try:
            return await self._manager.question(f"{self._path}/{what}", DEPLOYMENTS, body)
        except Conflict as error:
            raise self._is_active(error) from error
        except InvalidInput as error:
            raise _refused(self.name, error.message) from error
        except ServiceError as error:
            if error.status != 400:
                raise
            raise _refused(self.name, error.message) from error

    async def _put(self, body: Json) -> Answer | None:
        """The answer; ``None`` when it was lost and the deployment is there all the same."""
        former = await self._now()
        try:
            return await self._manager.change("PUT", self._path, DEPLOYMENTS, body)
        except Conflict as error:
            raise self._is_active(error) from error
        except ServiceError as error:
            if error.status == 400:
                raise _refused(self.name, error.message) from error
            if error.status and error.status < 500:
                raise
            now = await self._now_or_unknown(error)
            if now is None or (former is not None and now.correlation == former.correlation):
                error.hint = "It was not begun: run the same line again."
                raise
            self._tell("The answer was lost; the deployment was begun all the same, and is followed.")
            return None

    async def _now(self) -> Deployment | None:
        try:
            return read("the deployment", deployment_from, await self._manager.get(self._path, DEPLOYMENTS))
        except NotFound:
            return None

    async def _now_or_unknown(self, error: ServiceError) -> Deployment | None:
        """As ``_now``, after a PUT without an answer. Raises ``error`` when nobody tells what became of it."""
        try:
            return await self._now()
        except AmlError:
            error.hint = "Whether it was begun cannot be told now. Run the same line again later: it finds out."
            raise error from None

    async def _outcome(self, patience: float | None) -> Deployment:
        now = await self._now()
        if now is None:
            message = f"the deployment {self.name!r} is gone"
            raise ServiceError(message, status=200, hint="Look at the deployments of the resource group.")
        ended = now if now.has_ended else await self._end(now, patience)
        if ended.state == "Succeeded":
            return ended
        raise await self._failure(ended)

    async def _end(self, deployment: Deployment, patience: float | None) -> Deployment:
        """Looked at until it has ended, where nobody said where else to look."""
        looked: list[Deployment] = [deployment]

        async def look() -> bool:
            looked[0] = await self._now() or deployment
            return looked[0].has_ended

        try:
            await self._manager.until(look, patience=patience)
        except StillGoing as error:
            raise self._still_going() from error
        return looked[0]

    async def _failure(self, ended: Deployment) -> AmlError:
        operations = await self._manager.listed(f"{self._path}/operations", DEPLOYMENTS)
        failed = read("the operations", failed_operations_from, operations)
        why = "; ".join(failed) or "; ".join(ended.error) or f"it has {ended.state.lower()}"
        message = f"the deployment {self.name!r} has {ended.state.lower()}: {why}"
        return ServiceError(
            message,
            status=200,
            code="DeploymentFailed",
            hint="What it made before that stays; run it again when fixed.",
        )

    def _still_going(self) -> StillGoing:
        message = f"the deployment {self.name!r} has not ended yet"
        return StillGoing(message, hint=f"{_RUN_AGAIN}.")

    def _is_active(self, error: Conflict) -> Conflict:
        hint = (
            f"Run it again when that has ended, or end it: az deployment group cancel --name {self.name} "
            f"--resource-group {self._where.group}."
        )
        return Conflict(error.message, hint=hint)


async def give_roles(
    manager: Manager, where: Where, parcel: Parcel, name: str, patience: float | None, tell: Tell
) -> None:
    """Deploy the role assignments of an export, after the deployment ``name`` of the export. As ``carry_out``."""
    roles = Deploying(manager, where, f"{name[: _LONGEST_NAME - 6]}-roles", tell)
    await roles.wait(patience=patience)
    await roles.carry_out(deployment_to(parcel.roles or {}, parcel.values_of_roles()), patience=patience)


def _refused(name: str, why: str) -> InvalidInput:
    message = f"Azure refuses the template of {name!r}: {why or 'it does not say why'}"
    return InvalidInput(message, hint="Nothing was made. Correct it, or give the values with --parameter NAME=VALUE.")
