"""What stands between a person and a working workspace: each thing that can be wrong, looked at on its own.

``examine`` gives a ``Finding`` a check and raises nothing for one that fails: that is what it is for. Checks that need
an earlier one are left out when that one failed; each has ``LIMIT`` seconds. Nothing is changed anywhere, except that
asking for a token may sign in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aml_magics.background import Background, Stopped
from aml_magics.client.azure import AzureWay
from aml_magics.client.config_file import find_config, read_config
from aml_magics.client.doctor_here import Finding, Result, look_at_proxies, look_at_software
from aml_magics.client.permissions import NEEDED, role_with
from aml_magics.client.remote import Remote, asked_for, make_way
from aml_magics.client.served import ServedWay
from aml_magics.client.v1 import WorkspaceClient
from aml_magics.model.errors import AmlError, NotFound
from aml_magics.model.secret import redacted
from aml_magics.wire.arm import is_allowed

if TYPE_CHECKING:
    from aml_magics.client.connection import Call
    from aml_magics.client.remote import Destination, Way
    from aml_magics.client.sign_in import Tell
    from aml_magics.client.transport import Transport
    from aml_magics.client.workspace import Workspace
    from aml_magics.wire.arm import Resource

__all__ = ["LIMIT", "Finding", "Result", "examine"]

LIMIT = 15.0
"""Seconds that one check may take."""

_SKEW = 300.0  # seconds; more, and tokens look expired or not yet valid
_Seen = tuple[Result, str, str]
_HOUR = "A new assignment of a role can take up to an hour to count."


def examine(
    opened: Any,  # noqa: ANN401 - what a session has open: it has a workspace, and a way if it is elsewhere
    target: object,
    elsewhere: Mapping[str, Any],
    tell: Tell,
    *,
    limit: float = LIMIT,
) -> list[Finding]:
    """Findings about this kernel, and about what is open or, when it is named, what is there.

    ``target`` and ``elsewhere`` are the arguments of ``connect``.
    """
    findings = [*look_at_software(), *look_at_proxies()]
    if target is not None and "://" not in str(target):
        advice = "A URL begins with http:// or https://; without one, what is open is looked at."
        return [*findings, Finding("address", Result.PROBLEM, f"{str(target)!r} is no URL", advice)]
    if target is not None or any(value is not None for value in elsewhere.values()):
        return findings + _examine_place(target, elsewhere, tell, limit)
    if opened is not None:
        workspace: Workspace = opened.workspace
        patient = _Examination(workspace._connection.call, limit)
        way = opened.way if isinstance(opened, Remote) else None
        if isinstance(opened, Remote):
            patient.note_place(opened.destination)
        patient.look_at_workspace(way, workspace._connection.client)
        return findings + patient.findings
    return [*findings, _look_for_config(), _nothing_open()]


def _examine_place(target: object, elsewhere: Mapping[str, Any], tell: Tell, limit: float) -> list[Finding]:
    background = Background("aml-magics-doctor")
    patient = _Examination(background.call, limit)
    try:
        try:
            destination = asked_for(target, elsewhere)
        except AmlError as error:
            return [Finding("config", Result.PROBLEM, *_told(error))]
        patient.note_place(destination)
        try:
            way = make_way(destination, background.call, tell)
        except AmlError as error:
            return [*patient.findings, Finding("sign-in", Result.PROBLEM, *_told(error))]
        try:
            patient.look_at_workspace(way, None)
        finally:
            background.call(way.close(leaves_credential=destination.credential is not None))
        return patient.findings
    finally:
        background.stop()


class _Examination:
    """The checks of one workspace, one after the other. ``call`` runs them where the client lives."""

    def __init__(self, call: Call, limit: float) -> None:
        self.findings: list[Finding] = []
        self._call = call
        self._limit = limit

    def note_place(self, destination: Destination) -> None:
        place = destination.place
        if place is None:
            return
        where = f"{place.resource_group}/{place.workspace} in {place.subscription}"
        found = f"{destination.config.as_posix()}: {where}" if destination.config else where
        self.findings.append(Finding("config", Result.OK, found))

    def look_at_workspace(self, way: Way | None, client: WorkspaceClient | None) -> None:
        """All checks, as far as they lead. Without a client one is made, and closed again."""
        try:
            self._call(self._look(way, client))
        except Stopped:
            self.findings.append(
                Finding("workspace", Result.PROBLEM, "it was closed in between", "Open it again with %aml connect.")
            )

    async def _look(self, way: Way | None, client: WorkspaceClient | None) -> None:
        made = None
        if way is not None:
            made = await self._look_at_way(way)
            if made is None and (client is None or isinstance(way, ServedWay)):
                return  # the data of a served workspace are at the very address that does not answer
        try:
            await self._look_at_data(client or WorkspaceClient(_not_none(made), is_embedded=isinstance(way, ServedWay)))
        finally:
            if made is not None:
                self._note_clock(made)
                await made.close()

    async def _look_at_way(self, way: Way) -> Transport | None:
        """Identity, resource, discovery, permissions; the transport to the services when they were found."""
        resource: list[Resource] = []
        transports: list[Transport] = []

        async def reach() -> _Seen:
            resource.append(await way.resource())
            return Result.OK, f"{resource[0].name}{f' in {resource[0].region}' if resource[0].region else ''}", ""

        async def discover() -> _Seen:
            services = await way.services(resource[0])
            transports.append(await way.transport(resource[0], services))
            return Result.OK, services.api if services.api == services.history else f"{services.api} and others", ""

        if isinstance(way, AzureWay):
            if not await self._check("identity", _identity(way)):
                return None
            await self._check("token", _token(way))
        is_there = await self._check("resource manager" if isinstance(way, AzureWay) else "address", reach())
        if isinstance(way, AzureWay):
            self._note_clock(way.arm)
        if not is_there or not await self._check("discovery", discover()):
            return None
        if isinstance(way, AzureWay):
            await self._look_at_permissions(way)
        return transports[0]

    async def _look_at_permissions(self, way: AzureWay) -> None:
        async def ask() -> _Seen:
            permissions = await way.permissions()
            missing = 0
            for need in NEEDED:
                has = is_allowed(need.action, permissions)
                missing += not has
                advice = (
                    "" if has else f"Missing: ask an owner for the role {role_with(need.action)!r} or a custom one."
                )
                result = Result.OK if has else Result.PROBLEM
                self.findings.append(Finding(f"permission to {need.purpose}", result, need.action, advice))
            if missing:
                return Result.WARNING, f"{missing} of {len(NEEDED)} are missing", _HOUR
            return Result.OK, f"all {len(NEEDED)} that are needed", ""

        if not await self._check("permissions", ask()):
            self.findings[-1] = Finding(
                "permissions", Result.WARNING, self.findings[-1].found, "What is missing shows when it is used."
            )

    async def _look_at_data(self, client: WorkspaceClient) -> None:
        if client.is_embedded:
            await self._check("engine", _engine(client))
        await self._check("pipelines", _counted(client.pipelines, "active"))
        await self._check("schedules", _counted(client.schedules, "active"))
        await self._check("datastore", _datastore(client))

    def _note_clock(self, transport: Transport) -> None:
        ahead = transport.clock_ahead
        if ahead is None or any(one.check == "clock" for one in self.findings):
            return
        found = f"{abs(ahead):.0f} s {'ahead of' if ahead >= 0 else 'behind'} {transport.host}"
        is_wrong = abs(ahead) > _SKEW
        advice = "Set this machine's clock: tokens look expired, and schedules fire at the wrong time."
        self.findings.append(
            Finding("clock", Result.WARNING if is_wrong else Result.OK, found, advice if is_wrong else "")
        )

    async def _check(self, check: str, looking: Awaitable[_Seen]) -> bool:
        """Keep what a look found; whether it found no problem."""
        try:
            async with asyncio.timeout(self._limit):
                result, found, advice = await looking
        except AmlError as error:
            result, (found, advice) = Result.PROBLEM, _told(error)
        except TimeoutError:
            result, found = Result.PROBLEM, f"no answer within {self._limit:g} s"
            advice = "Check the network, and the proxy if there is one."
        except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
            result, found = Result.PROBLEM, f"{type(error).__name__}: {redacted(' '.join(str(error).split()))[:300]}"
            advice = "This is unexpected; please report it."
        self.findings.append(Finding(check, result, found, advice))
        return result is not Result.PROBLEM


async def _identity(way: AzureWay) -> _Seen:
    claims = await way.identity.claims()
    account = f" as {claims.account}" if claims.account else ""
    return Result.OK, f"{way.identity.name}{account}", ""


async def _token(way: AzureWay) -> _Seen:
    claims, expires = await way.identity.claims(), way.identity.expires
    until = f"until {datetime.fromtimestamp(expires, UTC):%Y-%m-%d %H:%M} UTC" if expires is not None else ""
    found = ", ".join(filter(None, (until, claims.tenant and f"tenant {claims.tenant}")))
    if expires is not None and expires <= time.time():
        return Result.WARNING, found, "It has expired already: check the clock, and sign in again."
    return Result.OK, found, ""


async def _engine(client: WorkspaceClient) -> _Seen:
    status = await client.status()
    engine = status["engine"]
    errors = [*engine["errors"], *engine["pollErrors"], *engine["wakeupErrors"], status["runner"]["trouble"]]
    errors += [*status["failures"], *status["unreadable"]]
    found = [redacted(str(error)) for error in errors if error]
    if found:
        return Result.WARNING, f"{len(found)} in trouble: {found[0][:200]}", "%aml status shows all."
    return Result.OK, f"{engine['schedules']} schedules hosted", ""


async def _counted(ask: Callable[[], Awaitable[list[Any]]], what: str) -> _Seen:
    return Result.OK, f"{len(await ask())} {what}", ""


async def _datastore(client: WorkspaceClient) -> _Seen:
    store = await client.default_datastore()
    place = store.folder or "/".join(filter(None, (store.account, store.container)))
    found = f"{store.name}: {place}" if place else store.name
    if client.is_embedded and store.folder:
        await client.objects(store.name)
    return Result.OK, f"{found} ({store.type})", ""


def _look_for_config() -> Finding:
    try:
        file = find_config(Path())
        place = read_config(file)
    except NotFound:
        return Finding("config", Result.OK, "no config.json here or above; only a workspace on Azure needs one")
    except AmlError as error:
        return Finding("config", Result.PROBLEM, *_told(error))
    found = f"{file.as_posix()}: {place.resource_group}/{place.workspace}"
    return Finding("config", Result.OK, found, "%aml doctor --config . looks at that workspace.")


def _nothing_open() -> Finding:
    return Finding(
        "workspace", Result.OK, "none is open", "%aml connect opens the one of this folder; --config one on Azure."
    )


def _told(error: AmlError) -> tuple[str, str]:
    return redacted(" ".join(error.message.split())), redacted(" ".join(error.hint.split()))


def _not_none(transport: Transport | None) -> Transport:
    assert transport is not None  # noqa: S101 - for the type checker: without one _look has returned
    return transport
