"""What a datastore is registered from: many ways to name a place and a way in become one checked ``Registration``."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from aml_magics.model.errors import InvalidInput
from aml_magics.model.secret import Secret
from aml_magics.model.storage import (
    BlobAccess,
    CredentialKind,
    Registration,
    azurite_access,
    blob_access,
    from_connection_string,
)

__all__ = ["Place", "registration_of"]

_ONE_PLACE = "Give a folder, or an account and a container, or a connection string, or azurite."
_WAYS_IN = "account_key", "sas_token", "connection_string", "identity"


class Place(TypedDict, total=False):
    """Where a datastore is, and how the workspace gets in: what ``Datastores.register`` takes."""

    folder: Path | str | None
    account: str | None
    container: str | None
    account_key: Secret | str | None
    sas_token: Secret | str | None
    connection_string: Secret | str | None
    identity: bool
    endpoint: str | None
    azurite: bool


def registration_of(name: str, place: Place) -> Registration:
    """Raises ``InvalidInput`` in one line for what is missing, is given twice over, or cannot be what it is called."""
    given = {key: value for key, value in place.items() if value not in (None, False, "")}
    if not name:
        raise InvalidInput("the datastore has no name", hint="Give it one: letters, digits, _ and -.")
    try:
        if "folder" in given:
            _refuse(given, "folder", allowed=("folder",))
            return Registration(name=name, folder=Path(str(given["folder"])).expanduser().as_posix())
        return Registration(name=name, access=_access(place, given))
    except InvalidInput as error:
        raise InvalidInput(f"datastore {name!r}: {error.message}", hint=error.hint) from None


def _access(place: Place, given: dict[str, object]) -> BlobAccess:
    container, endpoint = place.get("container"), place.get("endpoint")
    if "azurite" in given:
        _refuse(given, "azurite", allowed=("azurite", "container", "endpoint"))
        return azurite_access(container, endpoint)
    ways = [way for way in _WAYS_IN if way in given]
    if len(ways) > 1:
        message = f"{ways[0]} and {ways[1]} are two ways in"
        raise InvalidInput(message, hint="Give one of them.")
    if "connection_string" in given:
        _refuse(given, "connection_string", allowed=("connection_string", "container"))
        return from_connection_string(_secret(given["connection_string"]), container)
    if not given:
        raise InvalidInput("nothing says where it is", hint=_ONE_PLACE)
    kind, secret = _way_in(place)
    return blob_access(account=place.get("account"), container=container, url=endpoint, kind=kind, secret=secret)


def _way_in(place: Place) -> tuple[CredentialKind, Secret | None]:
    if key := place.get("account_key"):
        return CredentialKind.ACCOUNT_KEY, _secret(key)
    if sas := place.get("sas_token"):
        return CredentialKind.SAS, _secret(sas)
    return (CredentialKind.IDENTITY if place.get("identity") else CredentialKind.NONE), None


def _refuse(given: dict[str, object], what: str, *, allowed: tuple[str, ...]) -> None:
    surplus = next((key for key in given if key not in allowed), None)
    if surplus is not None:
        message = f"{what} and {surplus} do not go together"
        raise InvalidInput(message, hint=_ONE_PLACE)


def _secret(value: object) -> Secret:
    return value if isinstance(value, Secret) else Secret(str(value))
