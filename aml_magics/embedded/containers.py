"""Opening the container of a blob datastore, and looking whether one gets in.

azure-identity is imported when a datastore that signs in by identity is first asked, and nowhere else in this room. It
is asked on the threads that list and read, so its credential is the synchronous one, which renews its tokens by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aml_magics.datastores.signing_in import not_signed_in, quieten
from aml_magics.model.errors import AmlError, InvalidInput, NotConnected, NotFound, ServiceError
from aml_magics.model.storage import CredentialKind
from aml_magics.wire.v1_errors import StorageFailed

if TYPE_CHECKING:
    from aml_magics.datastores.blob import BlobContainer
    from aml_magics.model.storage import BlobAccess

__all__ = ["check_container", "open_container", "storage_errors"]

_SIGN_IN = "Sign in where the workspace runs, with 'az login' for example, or register it with a key or a SAS."


def open_container(access: BlobAccess) -> BlobContainer:
    """The container, ready to be asked; nobody has been asked yet."""
    from aml_magics.datastores.blob import BlobContainer  # noqa: PLC0415 - only where there is one

    credential: Any = _Identity(access.url) if access.kind is CredentialKind.IDENTITY else access.secret
    return BlobContainer.open(access.url, access.container, credential)


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


@contextmanager
def storage_errors(name: str) -> Iterator[None]:
    """What the storage of a datastore refuses, or fails to answer, is told as that and not as our own failure.

    ``InvalidInput`` where asking again does not help, else ``StorageFailed``.
    """
    try:
        yield
    except (NotConnected, ServiceError) as error:
        message = f"datastore {name!r}: {error.message}"
        if isinstance(error, NotConnected) or 400 <= error.status < 500:
            raise InvalidInput(message, hint=error.hint) from error
        raise StorageFailed(message, hint=error.hint or "Nothing was done; try again when it answers.") from error


class _Identity:
    """Whoever is signed in here, to the cloud of the account. When nobody is, one line says so."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).hostname or ""
        self._lock = threading.Lock()
        self._credential: Any = None

    def get_token(self, *scopes: str, **options: Any) -> Any:  # noqa: ANN401 - azure-identity is not typed here
        """An access token. Raises ``NotConnected``."""
        try:
            return self._made().get_token(*scopes, **options)
        except Exception as error:  # noqa: BLE001 - whatever its libraries raise
            raise not_signed_in(error, hint=_SIGN_IN) from None

    def _made(self) -> Any:  # noqa: ANN401 - as above
        from azure.identity import AzureAuthorityHosts, DefaultAzureCredential  # noqa: PLC0415 - a third of a second

        authorities = {
            ".core.chinacloudapi.cn": AzureAuthorityHosts.AZURE_CHINA,
            ".core.usgovcloudapi.net": AzureAuthorityHosts.AZURE_GOVERNMENT,
        }
        with self._lock:
            if self._credential is None:
                quieten()
                authority = next((one for end, one in authorities.items() if self._host.endswith(end)), None)
                self._credential = DefaultAzureCredential(**({"authority": authority} if authority else {}))
            return self._credential
