"""A container of Azure Blob Storage as a datastore.

Reading and writing are azure-storage-blob's, and so is every credential: an account's key, a shared access signature, a
token credential of azure-identity, a connection string, or none. Listing is our own, over the same credential, because
the library spends a third of a millisecond on each blob; ``listing="sdk"`` is the way back to the library's. Both give
the same objects with the same ETags.

Nothing is loaded or connected before the first call. The service version for reading and writing is one that emulators
know too; nothing newer is needed there.

Whatever Azure says is one line of ours, and no key or signature is in it. What a listing leaves out is said in
``blob_xml``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from aml_magics.datastores.base import ObjectInfo
from aml_magics.datastores.blob_arrow import ArrowPage, arrow_records
from aml_magics.datastores.blob_errors import azure_errors, failure
from aml_magics.datastores.blob_pages import VERSIONS, BlobPages
from aml_magics.datastores.blob_xml import MalformedPage, Page, as_info, as_record, page_of, read_records
from aml_magics.model.errors import InvalidInput
from aml_magics.model.secret import Secret, redacted

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobProperties, ContainerClient

__all__ = ["BlobContainer", "Listing"]

Listing = Literal["fast", "sdk"]
LONGEST_NAME = 1024  # characters
_PAGE = 5000


class BlobContainer:
    """The blobs of a container as the objects of a datastore."""

    def __init__(
        self,
        connect: Callable[[], ContainerClient],
        where: str,
        *,
        listing: Listing = "fast",
        page_size: int | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.where = where
        self._connect = connect
        self._is_fast = listing == "fast"
        self._page_size = page_size
        self._sleep = sleep
        self._lock = threading.Lock()
        self._opened: tuple[ContainerClient, BlobPages] | None = None

    @classmethod
    def open(
        cls,
        account: str | Secret,
        container: str,
        credential: Secret | TokenCredential | None = None,
        *,
        listing: Listing = "fast",
        page_size: int | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> BlobContainer:
        """A container of an account. Nothing is asked of the service yet.

        ``account`` is the address of its blob service (``https://NAME.blob.core.windows.net``, or an emulator's
        ``http://127.0.0.1:10000/devstoreaccount1``), or a connection string as a ``Secret``. ``credential`` is a key or
        a shared access signature as a ``Secret``, a credential of azure-identity, or nothing for a public container.
        InvalidInput when these do not fit together.
        """
        options: dict[str, Any] = {"listing": listing, "page_size": page_size, "sleep": sleep}
        if listing not in ("fast", "sdk"):
            raise InvalidInput(f"{listing!r} is no way to list", hint="Ways: fast, sdk.")
        if isinstance(account, Secret):
            return cls(*_by_connection_string(account, container, credential), **options)
        return cls(*_by_address(account, container, credential), **options)

    def __repr__(self) -> str:
        return f"BlobContainer({self.where!r})"

    def list(self, path: str = "", *, recursive: bool = False) -> Iterator[ObjectInfo]:
        """The blobs whose names begin with ``path/``; without ``recursive`` those without a further slash."""
        for page in self.pages(path, recursive=recursive):
            yield from self._infos(page)

    @property
    def starts_anywhere(self) -> bool:
        """Whether the service heeds ``start_from``: known once a page was listed, before that hoped for."""
        return self._is_fast and self._clients()[1].starts_anywhere

    @property
    def ends_anywhere(self) -> bool:
        """Whether the service heeds ``end_before``: once a page has come in Arrow."""
        return self._is_fast and self._clients()[1].ends_anywhere

    def pages(
        self, path: str, *, recursive: bool, start_from: str = "", end_before: str = ""
    ) -> Iterator[Page | ArrowPage]:
        """The same in pages of records, in the order of the service (``engine/leaf_walk.py``).

        ``start_from``: the name to begin at, ``end_before``: the first one that is too far. A service that
        ``starts_anywhere`` or ``ends_anywhere`` is not true of begins at the beginning and goes on to the end.
        """
        prefix = f"{_checked_path(path)}/" if path else ""
        client, fast = self._clients()
        if self._is_fast:
            delimiter = "" if recursive else "/"
            yield from fast.pages(prefix, delimiter=delimiter, start_from=start_from, end_before=end_before)
        else:
            yield from self._sdk_pages(client, prefix, recursive=recursive)

    def read(self, name: str) -> bytes:
        client, _ = self._clients()
        with azure_errors(f"read {_checked_name(name)!r}", self.where):
            return client.download_blob(name).readall()

    def write(self, name: str, data: bytes) -> ObjectInfo:
        """Make or replace a blob: one request, or blocks that one request makes a blob of."""
        client, _ = self._clients()
        with azure_errors(f"write {_checked_name(name)!r}", self.where):
            done = client.get_blob_client(name).upload_blob(data, overwrite=True)
        return ObjectInfo(name, done["etag"].strip('"'), len(data), done["last_modified"].timestamp())

    def local_path(self, name: str) -> Path | None:
        del name
        return None

    def is_being_written(self, name: str) -> bool:
        """``False``: a blob appears when it is whole."""
        del name
        return False

    async def changes(self, path: str, *, recursive: bool) -> AsyncIterator[None]:
        """Yields nothing: the service does not tell."""
        del path, recursive
        return
        yield

    def create(self) -> None:
        """Make the container unless it is there."""
        client, _ = self._clients()
        with azure_errors("make the container", self.where):
            if not client.exists():
                client.create_container()

    def close(self) -> None:
        """Close the connections. A later call opens new ones."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened:
            opened[0].close()
            opened[1].close()

    def _clients(self) -> tuple[ContainerClient, BlobPages]:
        with self._lock:
            if self._opened is None:
                client = self._connected()
                self._opened = client, BlobPages(client, self.where, page_size=self._page_size, sleep=self._sleep)
            return self._opened

    def _connected(self) -> ContainerClient:
        try:
            return self._connect()
        except ValueError as error:  # the library's word for a credential that it cannot read
            raise InvalidInput(f"cannot open {self.where}: {redacted(str(error))}") from error

    def _infos(self, page: Page | ArrowPage) -> Sequence[ObjectInfo]:
        try:
            if isinstance(page, ArrowPage):
                found = arrow_records(page)
            else:
                found = read_records(page.body, page.start, page.end).found
            return [as_info(record) for record in found if record]
        except MalformedPage as error:
            raise failure("list the objects", self.where, error) from error

    def _sdk_pages(self, client: ContainerClient, prefix: str, *, recursive: bool) -> Iterator[Page]:
        from azure.storage.blob import BlobProperties  # noqa: PLC0415 - loaded with the client

        how: dict[str, Any] = {"name_starts_with": prefix, "include": ["metadata"], "results_per_page": self._page_size}
        listed = client.list_blobs(**how) if recursive else client.walk_blobs(delimiter="/", **how)
        records: list[bytes] = []
        with azure_errors("list the objects", self.where):
            for blob in listed:
                if isinstance(blob, BlobProperties) and _is_object(blob):
                    modified = format_datetime(blob.last_modified, usegmt=True).encode()
                    records.append(as_record(blob.name, blob.etag.strip('"'), blob.size, modified))
                if len(records) == (self._page_size or _PAGE):
                    yield page_of(records, marker=blob.name)
                    records = []
        yield page_of(records)


def _by_address(
    account: str, container: str, credential: Secret | TokenCredential | None
) -> tuple[Callable[[], ContainerClient], str]:
    place = urlsplit(account)
    if place.scheme not in ("http", "https") or not place.hostname:
        hint = "Write it as in 'https://NAME.blob.core.windows.net'."
        raise InvalidInput(f"{redacted(account)!r} is not the address of a storage account", hint=hint)
    if place.query or place.password:
        hint = "Give the shared access signature as a Secret of its own."
        raise InvalidInput(f"the address of the storage account at {place.hostname} holds a secret", hint=hint)
    address = account.rstrip("/")
    options = _client_options()

    def connect() -> ContainerClient:
        from azure.storage.blob import ContainerClient  # noqa: PLC0415 - loads for half a second

        given = credential.reveal().strip() if isinstance(credential, Secret) else credential
        return ContainerClient(address, container, credential=given, **options)

    return connect, f"{address}/{_checked_container(container)}"


def _by_connection_string(
    text: Secret, container: str, credential: object
) -> tuple[Callable[[], ContainerClient], str]:
    if credential is not None:
        raise InvalidInput("a connection string holds its own credential", hint="Leave the other one out.")
    pairs = (part.partition("=") for part in text.reveal().split(";"))
    fields = {key.strip().lower(): value for key, _, value in pairs}
    address = fields.get("blobendpoint") or _endpoint(fields)
    options = _client_options()

    def connect() -> ContainerClient:
        from azure.storage.blob import ContainerClient  # noqa: PLC0415 - loads for half a second

        return ContainerClient.from_connection_string(text.reveal(), container, **options)

    return connect, f"{address.partition('?')[0].rstrip('/')}/{_checked_container(container)}"


def _endpoint(fields: dict[str, str]) -> str:
    if not fields.get("accountname"):
        hint = "Copy it from 'Access keys' of the storage account; it begins with 'DefaultEndpointsProtocol='."
        raise InvalidInput("the connection string names no storage account", hint=hint)
    suffix = fields.get("endpointsuffix") or "core.windows.net"
    return f"{fields.get('defaultendpointsprotocol') or 'https'}://{fields['accountname']}.blob.{suffix}"


def _client_options() -> dict[str, Any]:
    return {"api_version": VERSIONS[-1], "initial_backoff": 1, "increment_base": 2}


def _checked_container(name: str) -> str:
    if not name or "/" in name or "?" in name:
        raise InvalidInput(f"{redacted(name)!r} is not the name of a container", hint="As in 'training-data'.")
    return name


def _checked_path(path: str) -> str:
    parts = path.split("/")
    if "" in parts:
        hint = "Write it relative to the datastore, as in 'incoming/today'."
        raise InvalidInput(f"{path!r} is not the name of an object or a path", hint=hint)
    return _checked_name(path)


def _checked_name(name: str) -> str:
    """The name of an object. Unlike that of a path, it may have two slashes in a row: some containers do."""
    if len(name) > LONGEST_NAME:
        message = f"the name {name[:40]!r}... has {len(name)} characters"
        raise InvalidInput(message, hint=f"The name of a blob has at most {LONGEST_NAME}.")
    parts = name.split("/")
    wrong = not name or name.startswith("/") or name.endswith("/") or "." in parts or ".." in parts or "\0" in name
    if wrong or any("\ud800" <= letter <= "\udfff" for letter in name):
        hint = "Write it relative to the datastore, as in 'incoming/data.csv'."
        raise InvalidInput(f"{name!r} is not the name of an object or a path", hint=hint)
    return name


def _is_object(blob: BlobProperties) -> bool:
    """Whether a blob that the library lists is an object, by the rules of ``blob_xml``."""
    metadata = {key.lower(): value for key, value in (blob.metadata or {}).items()}
    return not blob.name.endswith("/") and metadata.get("hdi_isfolder", "").lower() != "true"
