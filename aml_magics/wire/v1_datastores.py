"""Datastores, and registrations of them, in the v1 dialect (``camelCase``).

What the service has no word for travels in one extra object that Azure's own SDK passes over, ``amlMagics``: the local
folder behind a datastore, the URL of an account that is not where Azure's are (an emulator), sign-in by identity. A key
or a SAS goes one way only, in a registration; an answer names its kind and leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aml_magics.model.errors import InvalidInput, did_you_mean
from aml_magics.model.resources import Datastore
from aml_magics.model.secret import Secret
from aml_magics.model.storage import (
    DEFAULT_SUFFIX,
    BlobAccess,
    CredentialKind,
    Registration,
    account_url,
    blob_access,
)
from aml_magics.wire.casing import Body, Json, without_nulls

__all__ = ["datastore_from", "datastore_to", "registration_from", "registration_to"]

# Never a real account: a hyphen is not allowed in an account's name, and .invalid is reserved (RFC 6761).
_FOLDER_SECTION = {
    "accountName": "local-folder",
    "endpoint": "invalid",
    "protocol": "https",
    "credentialType": "None",
    "isSas": False,
    "areWorkspaceManagedIdentitiesAllowed": False,
}


def datastore_to(datastore: Datastore) -> Json:
    """DataStore. A local folder answers as a blob container, because that is what a change schedule may watch."""
    if datastore.folder is None:
        section = _section(datastore.account, datastore.container, datastore.url, datastore.credential)
        section["isSas"] = datastore.credential is CredentialKind.SAS
    else:
        section = {"containerName": datastore.name, **_FOLDER_SECTION}
    ours = {
        "folder": datastore.folder,
        "url": datastore.url,
        "identity": True if datastore.credential is CredentialKind.IDENTITY else None,
        "isDefault": datastore.is_default,
    }
    return {
        "name": datastore.name,
        "dataStoreType": datastore.type,
        "hasBeenValidated": True,
        "tags": {},
        "azureStorageSection": section,
        "amlMagics": without_nulls(ours),
    }


def datastore_from(answer: Mapping[str, Any], *, is_default: bool | None = None) -> Datastore:
    """``is_default`` is for Azure, which says it elsewhere; ``None`` takes what the answer says."""
    body = Body(answer, "datastore")
    ours = body.body("amlMagics")
    section = body.body("azureStorageSection")
    folder = ours.optional_text("folder") if ours else None
    if is_default is None:
        is_default = bool(ours and ours.boolean("isDefault"))
    container = section if folder is None else None
    return Datastore(
        name=body.text("name"),
        type=body.text("dataStoreType", "AzureBlob"),
        folder=folder,
        account=container.optional_text("accountName") if container else None,
        container=container.optional_text("containerName") if container else None,
        url=_url(container, ours) if container else None,
        credential=_kind(container, ours) or CredentialKind.NONE if container else CredentialKind.NONE,
        is_default=is_default,
    )


def registration_to(registration: Registration, *, for_azure: bool = False) -> Json:
    """The body of a registration, with the secret in it: it is sent and not kept. Azure gets no words of our own."""
    body: Json = {"name": registration.name, "dataStoreType": "AzureBlob"}
    access = registration.access
    if access is None:
        return body | {"amlMagics": {"folder": registration.folder}}
    section = _section(access.account, access.container, access.url, access.kind)
    section["credential"] = access.secret.reveal() if access.secret else None
    section["areWorkspaceManagedIdentitiesAllowed"] = False
    body["azureStorageSection"] = without_nulls(section)
    if not for_azure:
        ours = {"url": access.url, "identity": access.kind is CredentialKind.IDENTITY or None}
        body["amlMagics"] = without_nulls(ours)
    return body


def registration_from(request: Mapping[str, Any]) -> Registration:
    """What is to be registered, checked as far as one can without asking anybody.

    Raises ``InvalidInput`` naming the datastore for what is neither a folder nor a blob container with a way in.
    """
    body = Body(Body(request, "datastore").mapping("DataStore") or request, "datastore")
    name = body.text("name")
    ours = body.body("amlMagics")
    folder = ours.optional_text("folder") if ours else None
    if folder is not None:
        return Registration(name=name, folder=folder)
    section = body.body("azureStorageSection")
    if section is None or body.text("dataStoreType", "AzureBlob") != "AzureBlob":
        message = f"datastore {name!r}: it names neither a folder nor a blob container with its account"
        raise InvalidInput(message, hint="This workspace knows folders and AzureBlob.")
    try:
        return Registration(name=name, access=_access(section, ours))
    except InvalidInput as error:
        raise InvalidInput(f"datastore {name!r}: {error.message}", hint=error.hint) from None


def _access(section: Body, ours: Body | None) -> BlobAccess:
    kind = _kind(section, ours)
    if kind is None:
        word = section.text("credentialType")
        message = f"credentialType: {word!r} is not known here"
        raise InvalidInput(message, hint=did_you_mean(word, CredentialKind))
    secret = section.optional_text("credential") or section.optional_text("accountKey")
    return blob_access(
        account=section.optional_text("accountName"),
        container=section.optional_text("containerName"),
        url=_url(section, ours),
        kind=kind,
        secret=Secret(secret or section.text("sasToken")),
    )


def _section(account: str | None, container: str | None, url: str | None, kind: CredentialKind) -> Json:
    """The service builds the URL of protocol, account and suffix; of another URL it gets the host, for show."""
    protocol, _, host = (url or "").partition("://")
    suffix = host.removeprefix(f"{account}.blob.") or DEFAULT_SUFFIX
    return {
        "accountName": account,
        "containerName": container,
        "endpoint": suffix,
        "protocol": protocol or "https",
        "credentialType": "None" if kind is CredentialKind.IDENTITY else kind.value,
    }


def _url(section: Body, ours: Body | None) -> str | None:
    url = ours.optional_text("url") if ours else None
    account = section.optional_text("accountName")
    if url or not account:
        return url
    suffix, protocol = section.optional_text("endpoint"), section.optional_text("protocol")
    return account_url(account, suffix=suffix or DEFAULT_SUFFIX, protocol=protocol or "https")


def _kind(section: Body, ours: Body | None) -> CredentialKind | None:
    """``None`` for a kind of Azure's that this package has no use for."""
    if ours and ours.boolean("identity"):
        return CredentialKind.IDENTITY
    known = {kind.casefold(): kind for kind in CredentialKind}
    return known.get(section.text("credentialType", "None").casefold())
