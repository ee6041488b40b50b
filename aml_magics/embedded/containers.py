"""Opening the container of a blob datastore, and looking whether one gets in.

azure-identity is imported here when a datastore signs in by identity, and nowhere else in this room. Its credential is
asked on the threads that list and read, so it is the synchronous one; nothing of it is kept but the credential, which
renews its tokens by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aml_magics.model.errors import AmlError, InvalidInput, NotFound
from aml_magics.model.storage import CredentialKind

if TYPE_CHECKING:
    from aml_magics.datastores.blob import BlobContainer
    from aml_magics.model.storage import BlobAccess

__all__ = ["check_container", "open_container"]


def open_container(access: BlobAccess) -> BlobContainer:
    """The container, ready to be asked; nobody has been asked yet."""
    from aml_magics.datastores.blob import BlobContainer  # noqa: PLC0415 - loads azure-storage-blob

    return BlobContainer.open(access.url, access.container, _credential(access))


def check_container(name: str, access: BlobAccess, *, create: bool = False) -> None:
    """List one page of it, after making it when ``create`` and it is not there. It blocks.

    Raises ``InvalidInput`` with the one line of what is wrong: the credential, the name, the way there. It is always
    that: nothing has been registered, and what was asked for has to change.
    """
    container = open_container(access)
    try:
        if create:
            container.create()
        next(iter(container.list()), None)
    except NotFound as error:
        message = f"datastore {name!r}: account {access.account!r} has no container {access.container!r}"
        raise InvalidInput(message, hint="Check its name; --create-if-not-exists makes it.") from error
    except AmlError as error:
        hint = error.hint or "--skip-validation registers it all the same."
        raise InvalidInput(f"datastore {name!r}: {error.message}", hint=hint) from error
    finally:
        container.close()


def _credential(access: BlobAccess) -> Any:  # noqa: ANN401 - azure-identity is not typed here
    if access.kind is not CredentialKind.IDENTITY:
        return access.secret
    from azure.identity import AzureAuthorityHosts, DefaultAzureCredential  # noqa: PLC0415 - a third of a second

    host = urlsplit(access.url).hostname or ""
    authorities = {
        ".core.chinacloudapi.cn": AzureAuthorityHosts.AZURE_CHINA,
        ".core.usgovcloudapi.net": AzureAuthorityHosts.AZURE_GOVERNMENT,
    }
    authority = next((one for suffix, one in authorities.items() if host.endswith(suffix)), None)
    return DefaultAzureCredential(**({"authority": authority} if authority else {}))
