"""Which datastore of the workspace stands for a storage account, and what a blob looks like to a trigger."""

from __future__ import annotations

from typing import NamedTuple

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.resources import Datastore
from aml_magics.workflows.workspace import MlWorkspace

__all__ = ["Place", "place_for"]


class Place(NamedTuple):
    """A datastore, and the name of the container that it stands for."""

    datastore: str
    container: str


async def place_for(
    workspace: MlWorkspace, container: str, *, what: str, account: str = "", wanted: str = "", noted: str = ""
) -> Place:
    """The datastore named, else the one in that container (and account, where it is known), else the one noted down.

    ``noted`` is what the export kept of the schedule. Where neither a container nor that is known, it is the default
    one. A folder stands for any container. Raises ``InvalidInput``.
    """
    stores = {one.name: one for one in await workspace.datastores()}
    if wanted and wanted not in stores:
        raise InvalidInput(f"there is no datastore {wanted!r}", hint=did_you_mean(wanted, stores))
    in_it = next((one for one in stores.values() if _is_there(one, account, container)), None)
    found = stores.get(wanted) or in_it or stores.get(noted)
    if found is None and not container:
        found = next((one for one in stores.values() if one.is_default), None)
    if found is None:
        of = f" of {account}" if account else ""
        message = f"{what} watches the container {container!r}{of}, and no datastore is in it"
        raise InvalidInput(message, hint=f"Name one that stands for it: --datastore {next(iter(stores), 'NAME')}.")
    if found.container and container and found.container != container:
        message = f"{what} watches the container {container!r}"
        raise InvalidInput(message, hint=f"The datastore {found.name!r} is in {found.container!r}: name another.")
    return Place(found.name, container or found.container or found.name)


def _is_there(store: Datastore, account: str, container: str) -> bool:
    is_account = not account or (store.account or "").casefold() == account.casefold()
    return bool(container) and store.container == container and is_account
