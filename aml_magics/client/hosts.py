"""What fires the workspace's pipelines from beside it: the Logic Apps and the triggers of data factories, as one list.

For the list of schedules: it is bounded in time, and what cannot be seen is said in words instead of raised, so that
the workspace's own schedules are shown whatever the others do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from aml_magics.client.calls import read, side_by_side
from aml_magics.client.factory_calls import FactoryCalls
from aml_magics.client.logic_app_calls import LogicAppCalls
from aml_magics.model.errors import AmlError
from aml_magics.model.hosted import HostedTrigger
from aml_magics.model.resources import Host, Status
from aml_magics.wire.arm_logic import LOGIC, next_fire_from

if TYPE_CHECKING:
    from aml_magics.client.arm import Manager, Where
    from aml_magics.model.hosted import Factory, LogicApp

__all__ = ["Beside", "see_beside"]


@dataclass(frozen=True, slots=True)
class Beside:
    """``problem`` says in one line what could not be seen, if anything."""

    triggers: tuple[HostedTrigger, ...] = ()
    problem: str = ""


async def see_beside(manager: Manager, groups: Sequence[str], seconds: float) -> Beside:
    """The triggers in the workspace's resource group and in ``groups``, as many as are seen within ``seconds``."""
    apps, factories = LogicAppCalls(manager), FactoryCalls(manager)
    places = [manager.where, *(manager.in_group(group) for group in groups)]
    wanted = [(look, where) for where in dict.fromkeys(places) for look in (_apps_in, _factories_in)]

    async def seen(look_and_where: tuple[object, Where]) -> list[HostedTrigger] | AmlError:
        look, where = look_and_where
        try:
            async with asyncio.timeout(seconds):
                if look is _apps_in:
                    return await _apps_in(manager, apps, where)
                return await _factories_in(factories, where)
        except AmlError as error:
            return error
        except TimeoutError:
            return AmlError(f"Azure did not tell within {seconds:g} s what is in {where.group!r}")

    answers = await side_by_side(seen, wanted)
    found = [one for answer in answers if not isinstance(answer, AmlError) for one in answer]
    return Beside(tuple(found), _problem(one for one in answers if isinstance(one, AmlError)))


async def _apps_in(manager: Manager, apps: LogicAppCalls, where: Where) -> list[HostedTrigger]:
    """The Logic Apps that start something of a workspace."""

    async def whole(app: LogicApp) -> LogicApp:
        return app if app.triggers else await apps.found(app.id, where)  # a list may leave the definitions out

    listed = await side_by_side(whole, await apps.listed(where))
    return await side_by_side(lambda app: _of_app(manager, app), [one for one in listed if one.starts])


async def _of_app(manager: Manager, app: LogicApp) -> HostedTrigger:
    return HostedTrigger(
        id=app.id,
        name=app.name,
        host=Host.LOGIC_APP,
        owner=app.name,
        status=app.status,
        trigger="; ".join(words for words in app.triggers.values() if words),
        starts=app.starts,
        next_fire=await _next_fire(manager, app) if app.status is Status.ACTIVE else None,
        created=app.created,
    )


async def _next_fire(manager: Manager, app: LogicApp) -> datetime | None:
    answers = await manager.listed(f"{app.id}/triggers", LOGIC)
    due = [read("a trigger", next_fire_from, one) for one in answers]
    return min((one for one in due if one is not None), default=None)


async def _factories_in(factories: FactoryCalls, where: Where) -> list[HostedTrigger]:
    """The triggers of pipelines that start something of a workspace."""

    async def of_one(factory: Factory) -> list[HostedTrigger]:
        triggers = await factories.triggers_of(factory)
        pipelines = await factories.pipelines_in(factory) if triggers else []
        starts = {one.name: one.starts for one in pipelines}
        known = [
            replace(one, starts=tuple(start for name in one.pipelines for start in starts.get(name, ())))
            for one in triggers
        ]
        return [one for one in known if one.starts]

    found = await side_by_side(of_one, await factories.factories(where))
    return [one for each in found for one in each]


def _problem(errors: Iterable[AmlError]) -> str:
    told = list(dict.fromkeys(str(error) for error in errors))
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return f"Logic Apps and data factories are not all shown: {told[0]}{more}" if told else ""
