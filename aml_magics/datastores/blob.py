"""Azure Blob as a datastore, over azure-storage-blob (a stand-in until the fast listing is there)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobPrefix, ContainerClient

from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.errors import InvalidInput, NotFound, ServiceError
from aml_magics.model.secret import Secret, redacted

__all__ = ["BlobContainer"]


class BlobContainer:
    def __init__(self, client: Any) -> None:
        self._client = client

    @classmethod
    def open(cls, url: str, container: str, credential: Any) -> Self:
        given = credential.reveal() if isinstance(credential, Secret) else credential
        return cls(ContainerClient(url, container, given, retry_total=0, connection_timeout=5))

    def create(self) -> None:
        try:
            self._client.create_container()
        except HttpResponseError as error:
            if error.error_code != "ContainerAlreadyExists":
                raise _ours(error) from None

    def close(self) -> None:
        self._client.close()

    def list(self, path: str = "", *, recursive: bool = False) -> Iterator[ObjectInfo]:
        prefix = f"{path}/" if path else ""
        listed = self._client.list_blobs(prefix) if recursive else self._client.walk_blobs(prefix)
        try:
            for blob in listed:
                if not isinstance(blob, BlobPrefix):
                    yield ObjectInfo(blob.name, blob.etag.strip('"'), blob.size, blob.last_modified.timestamp())
        except AzureError as error:
            raise _ours(error) from None

    def read(self, name: str) -> bytes:
        try:
            return bytes(self._client.download_blob(name).readall())
        except AzureError as error:
            raise _ours(error) from None

    def write(self, name: str, data: bytes) -> ObjectInfo:
        try:
            found = self._client.upload_blob(name, data, overwrite=True).get_blob_properties()
        except AzureError as error:
            raise _ours(error) from None
        return ObjectInfo(name, found.etag.strip('"'), found.size, found.last_modified.timestamp())

    def local_path(self, _name: str) -> None:
        return None

    def is_being_written(self, _name: str) -> bool:
        return False

    async def changes(self, _path: str, *, recursive: bool) -> AsyncIterator[None]:
        return
        yield


def _ours(error: AzureError) -> Exception:
    text = redacted(" ".join(str(error).split("\n")[0].split()))
    if isinstance(error, ResourceNotFoundError):
        return NotFound(text, hint="Check the name.")
    if isinstance(error, ClientAuthenticationError) or getattr(error, "status_code", 0) in (401, 403):
        return InvalidInput(text, hint="Check the key, the SAS or the sign-in.")
    return ServiceError(text, hint="Try again.")
