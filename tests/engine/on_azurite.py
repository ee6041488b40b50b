"""A datastore for the tests of the engine whose objects are blobs of Azure's own emulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aml_magics.datastores import BlobContainer, ObjectInfo
from aml_magics.datastores.blob_xml import Page
from tests.engine.fakes import MemoryStore
from tests.support.azurite import Azurite

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

__all__ = ["AzuriteStore"]


class Blobs(dict[str, ObjectInfo]):
    """What is in a container, by name: to set one is to upload that many bytes."""

    def __init__(self, client: ContainerClient) -> None:
        super().__init__()
        self._client = client

    def __setitem__(self, name: str, info: ObjectInfo) -> None:
        done = self._client.upload_blob(name, b"x" * info.size, overwrite=True).get_blob_properties()
        super().__setitem__(name, info._replace(etag=done.etag.strip('"'), modified=done.last_modified.timestamp()))

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        self._client.delete_blob(name)


class AzuriteStore(MemoryStore):
    """A ``MemoryStore`` with a container in the place of the memory."""

    def __init__(self, azurite: Azurite) -> None:
        super().__init__()
        self._client = azurite.client()
        self._container: BlobContainer = azurite.store(self._client.container_name, page_size=7)
        self.objects = Blobs(self._client)

    def pages(self, path: str, *, recursive: bool) -> Iterator[Page]:
        with self._listing():
            yield from self._container.pages(path, recursive=recursive)

    def list(self, path: str = "", *, recursive: bool = False) -> Iterator[ObjectInfo]:
        with self._listing():
            yield from self._container.list(path, recursive=recursive)

    def close(self) -> None:
        self._container.close()
        self._client.close()
