"""Experiments and datastores of a workspace, synchronously."""

from __future__ import annotations

import builtins
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from aml_magics.client.connection import Collection
from aml_magics.client.names import check_experiment_name, pick_by_name, reference
from aml_magics.client.registering import Place, registration_of
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.outlook import Outlook, why_not
from aml_magics.model.resources import DataPath

if TYPE_CHECKING:
    from aml_magics.datastores.base import ObjectInfo
    from aml_magics.model.resources import Datastore, Experiment
    from aml_magics.model.triggers import DatastoreChange

__all__ = ["Datastores", "Experiments"]


class Experiments(Collection):
    """``workspace.experiments``: the names under which runs are filed."""

    def list(self) -> list[Experiment]:
        """All experiments that are not archived, by name."""
        return sorted(self._connection.run(self._client.experiments()), key=lambda found: found.name)

    def get(self, name: str | Experiment) -> Experiment:
        """The experiment of this name. Raises ``NotFound`` with the nearest name.

        >>> ws.experiments.get("MyExperiment").id
        """
        return self._connection.run(self._get(reference("experiment", name)))

    def create(self, name: str) -> Experiment:
        """The experiment of this name, made when it is not there yet. Raises ``InvalidInput`` for a bad name.

        1 to 255 letters, digits, ``-`` and ``_``, the first a letter or digit.
        """
        return self._connection.run(self._create(check_experiment_name(name)))

    async def _get(self, name: str) -> Experiment:
        try:
            return await self._client.experiment(check_experiment_name(name))
        except (NotFound, InvalidInput):
            known = {experiment.name: experiment for experiment in await self._client.experiments()}
            return known[pick_by_name("experiment", name, known)]

    async def _create(self, name: str) -> Experiment:
        try:
            return await self._client.experiment(name)
        except NotFound:
            return await self._client.create_experiment(name)


class Datastores(Collection):
    """``workspace.datastores``: where data lies, and what lies there."""

    def list(self) -> list[Datastore]:
        """All datastores, by name. No credentials are asked for."""
        return sorted(self._connection.run(self._client.datastores()), key=lambda found: found.name)

    def get(self, name: str | Datastore) -> Datastore:
        """The datastore of this name. Raises ``NotFound`` with the nearest name."""
        return self._connection.run(self._get(name))

    def default(self) -> Datastore:
        """The workspace's default datastore, ``workspaceblobstore`` unless it was changed."""
        return self._connection.run(self._client.default_datastore())

    def register(
        self,
        name: str,
        *,
        overwrite: bool = False,
        default: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
        **place: Unpack[Place],
    ) -> Datastore:
        """Give a folder or a blob container a name in the workspace.

        The place is ``folder=``; or ``account=`` and ``container=`` with ``account_key=``, ``sas_token=``,
        ``identity=True`` (whoever is signed in where the workspace runs) or none of them (a public container), and
        ``endpoint=`` when the account has a URL of its own; or ``connection_string=`` and ``container=``; or
        ``azurite=True`` and ``container=``, the emulator. A folder is relative to the workspace's. Keys travel best as
        ``aml_magics.Secret``.

        The workspace looks into the container first and refuses what it cannot list; ``create_if_not_exists`` makes
        the container, ``skip_validation`` does not look. ``overwrite`` replaces the datastore of that name;
        ``default`` makes it the workspace's default. Raises ``Conflict`` when the name is taken or active schedules
        watch what would move, ``InvalidInput`` for the rest; nothing has then been registered.

        >>> ws.datastores.register("here", folder=".")
        >>> ws.datastores.register("archive", account="mine", container="old", identity=True, skip_validation=True)
        """
        registration = registration_of(name, place)
        options = {"create_if_not_exists": create_if_not_exists, "skip_validation": skip_validation}
        registering = self._client.register_datastore(registration, overwrite=overwrite, **options)
        return self._connection.run(self._register(registering, default=default))

    def plan(
        self, name: str, *, overwrite: bool = False, skip_validation: bool = False, **place: Unpack[Place]
    ) -> Datastore:
        """What ``register`` would make of the same arguments, without doing it. Raises what it would raise."""
        registering = self._client.register_datastore(
            registration_of(name, place), overwrite=overwrite, skip_validation=skip_validation, dry_run=True
        )
        return self._connection.run(registering)

    def unregister(self, name: str | Datastore) -> Datastore:
        """Forget a datastore and its credential; what lies in it stays. Returns what it was.

        Raises ``Conflict`` for the default one and while active schedules watch it, ``NotFound``.
        """
        return self._connection.run(self._unregister(name))

    def set_default(self, name: str | Datastore) -> Datastore:
        """Make a datastore the workspace's default. Raises ``NotFound`` with the nearest name."""
        return self._connection.run(self._set_default(name))

    def ls(self, name: str | Datastore, path: str = "", *, recursive: bool = False) -> builtins.list[ObjectInfo]:
        """The objects directly under ``path``, or at any depth, by name. A path that is not there is empty.

        Each has ``name`` (relative to the datastore), ``size`` in bytes, ``modified`` in POSIX seconds and ``etag``.
        Raises ``NotFound`` for the datastore, ``InvalidInput`` for a path that leaves it.

        >>> [found.name for found in ws.datastores.ls("workspaceblobstore", "incoming")]
        """
        return self._connection.run(self._ls(name, path, recursive=recursive))

    def outlook(
        self, name: str | Datastore, path: str = "", *, trigger: DatastoreChange | None = None, since: float = 0.0
    ) -> builtins.list[Outlook]:
        """What would fire now at a path, object by object, and what would not, with the reason. It changes nothing.

        Without ``trigger`` it is what the active schedules there have not fired for yet. With one it is what such a
        schedule would fire for if all objects that were modified after ``since`` (POSIX seconds) were new.

        >>> [found.name for found in ws.datastores.outlook("workspaceblobstore", "incoming") if found.fires]
        """
        return self._connection.run(self._outlook(name, path.strip("/"), trigger, since))

    def upload(self, name: str | Datastore, local: Path | str | bytes, path: str = "") -> DataPath:
        """Put a file of this machine, or bytes, on a datastore; what is there under that name is replaced.

        ``path`` is the object's name; empty or with a ``/`` at its end it is the folder that gets a file under its own
        name. Nobody ever sees half an object. Returns where it is, which a data path parameter takes as it is. Raises
        ``NotFound`` for the datastore or the file.

        >>> where = ws.datastores.upload("workspaceblobstore", Path("day1.csv"), "incoming/")
        >>> ws.pipelines.submit("train", data_paths={"input_data": where})
        """
        content, target = _content_and_name(local, path)
        return self._connection.run(self._upload(name, target, content))

    def download(self, name: str | Datastore, path: str, local: Path | str | None = None) -> bytes:
        """The bytes of an object, written to the file (or into the folder) ``local`` as well when it is given.

        Raises ``NotFound`` for the datastore, the object or the folder.
        """
        content = self._connection.run(self._download(name, path))
        if local is not None:
            target = Path(local).expanduser()
            target = target / path.rsplit("/", 1)[-1] if target.is_dir() else target
            try:
                target.write_bytes(content)
            except OSError as error:
                raise _no_file(target, error) from None
        return content

    async def _get(self, wanted: str | Datastore) -> Datastore:
        name = reference("datastore", wanted)
        try:
            return await self._client.datastore(name)
        except NotFound:
            known = {datastore.name: datastore for datastore in await self._client.datastores()}
            return known[pick_by_name("datastore", name, known)]

    async def _register(self, registering: Awaitable[Datastore], *, default: bool) -> Datastore:
        registered = await registering
        return await self._client.set_default_datastore(registered.name) if default else registered

    async def _unregister(self, wanted: str | Datastore) -> Datastore:
        found = await self._get(wanted)
        await self._client.unregister_datastore(found.name)
        return found

    async def _set_default(self, wanted: str | Datastore) -> Datastore:
        return await self._client.set_default_datastore((await self._get(wanted)).name)

    async def _ls(self, name: str | Datastore, path: str, *, recursive: bool) -> builtins.list[ObjectInfo]:
        datastore = await self._get(name)
        return await self._client.objects(datastore.name, path.strip("/"), recursive=recursive)

    async def _outlook(
        self, name: str | Datastore, path: str, trigger: DatastoreChange | None, since: float
    ) -> builtins.list[Outlook]:
        if trigger is None:
            return await self._client.outlook((await self._get(name)).name, path)
        found = await self._ls(name, path, recursive=trigger.recursive)
        return [_as_new(info, trigger) for info in found if info.modified >= since]

    async def _upload(self, name: str | Datastore, target: str, content: bytes) -> DataPath:
        datastore = await self._get(name)
        await self._client.write_object(datastore.name, target, content)
        return DataPath(datastore.name, target)

    async def _download(self, name: str | Datastore, path: str) -> bytes:
        datastore = await self._get(name)
        return await self._client.read_object(datastore.name, path.strip("/"))


def _as_new(info: ObjectInfo, trigger: DatastoreChange) -> Outlook:
    reason = why_not(trigger, info.name, "added", info.size)
    return Outlook(
        name=info.name,
        change="added",
        fires=not reason,
        why=reason or "if it were new",
        size=info.size,
        modified=info.modified,
    )


def _content_and_name(local: Path | str | bytes, path: str) -> tuple[bytes, str]:
    if isinstance(local, bytes):
        target = path.strip("/")
        if not target or path.endswith("/"):
            message = f"upload: {path!r} does not say what the object is to be called"
            raise InvalidInput(message, hint="Give a path with a name, for example incoming/day1.csv.")
        return local, target
    file = Path(local).expanduser()
    folder_or_name = path.lstrip("/")
    target = f"{folder_or_name}{file.name}" if not folder_or_name or folder_or_name.endswith("/") else folder_or_name
    try:
        return file.read_bytes(), target
    except OSError as error:
        raise _no_file(file, error) from None


def _no_file(file: Path, error: OSError) -> InvalidInput | NotFound:
    reason = (error.strerror or type(error).__name__).lower()
    message = f"the file {file.as_posix()!r} cannot be used: {reason}"
    kind = NotFound if isinstance(error, FileNotFoundError) else InvalidInput
    return kind(message, hint="Check the path; relative ones start at the current folder.")
