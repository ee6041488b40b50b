"""Pages of a blob listing that come as Apache Arrow streams, which newer services offer.

A page is taken only when it is understood whole: the stream has its end, says where the next page begins, and has the
columns that we need in the types that we know. Otherwise ``read_arrow`` gives nothing, and whoever asked asks for XML.
Whether two pages are the same is told by their bytes, without looking inside (``engine/leaf_walk.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from aml_magics.datastores.blob_xml import MalformedPage, Record

if TYPE_CHECKING:
    from nanoarrow import ArrayStream
    from nanoarrow.array import Array

__all__ = ["MEDIA_TYPE", "ArrowPage", "arrow_records", "read_arrow"]

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_MARKER = b"NextMarker"
_TYPES = {"Name": "STRING", "Etag": "STRING", "Last-Modified": "TIMESTAMP", "Content-Length": "INT64"}
_PER_SECOND = {"SECOND": 1, "MILLI": 10**3, "MICRO": 10**6, "NANO": 10**9}
# A row is no object when one of these columns is there and says so.
_NO_OBJECT: dict[str, tuple[Any, ...]] = {
    "ResourceType": ("blobprefix", "directory"),
    "Deleted": (True,),
    "IsCurrentVersion": (False,),
}
_STUB = b"di_isfolder"


class ArrowPage(NamedTuple):
    """A stream as it came; the next page begins at ``marker``, "" after the last one."""

    body: bytes
    marker: str


def read_arrow(body: bytes) -> ArrowPage | None:
    """The page that a stream is, or ``None`` when it is not one that we understand."""
    if not body.endswith(_END):
        return None
    try:
        with _stream(body) as stream:
            schema = stream.schema
            marker = dict(schema.metadata.items()).get(_MARKER) if schema.metadata else None
            types = {field.name: field.type.name for field in schema.fields}
    except MalformedPage:
        return None
    if marker is None or any(types.get(name) != kind for name, kind in _TYPES.items()):
        return None
    return ArrowPage(body, marker.decode())


def arrow_records(page: ArrowPage) -> list[Record | None]:
    """What the rows of a page say (``None``: it is no object); MalformedPage when one lacks what an object has."""
    may_have_stubs = _STUB in page.body
    found: list[Record | None] = []
    with _stream(page.body) as stream:
        names = [field.name for field in stream.schema.fields]
        for batch in stream:
            columns = {name: batch.child(number) for number, name in enumerate(names)}
            found += _rows(columns, may_have_stubs=may_have_stubs)
    return found


def _rows(columns: dict[str, Array], *, may_have_stubs: bool) -> list[Record | None]:
    names, etags, sizes = (columns[name].to_pylist() for name in ("Name", "Etag", "Content-Length"))
    left_out = _left_out(columns, names)
    if may_have_stubs and "Metadata" in columns:
        left_out |= _stubs(columns["Metadata"])
    rows = enumerate(zip(names, _seconds(columns["Last-Modified"]), etags, sizes, strict=True))
    return [None if number in left_out else _record(*row) for number, row in rows]


def _record(name: str | None, modified: float | None, etag: str | None, size: int | None) -> Record:
    if name is None or modified is None or etag is None or size is None:
        raise MalformedPage("a record of the page lacks its name, ETag, size or time")
    return name.encode(), modified, etag.strip('"').encode(), size


def _left_out(columns: dict[str, Array], names: list[str | None]) -> set[int]:
    numbers = {number for number, name in enumerate(names) if name and name.endswith("/")}
    for column, values in _NO_OBJECT.items():
        if column in columns:
            numbers.update(n for n, value in enumerate(columns[column].to_pylist()) if value in values)
    if "Snapshot" in columns:
        numbers.update(n for n, value in enumerate(columns["Snapshot"].to_pylist()) if value)
    return numbers


def _stubs(metadata: Array) -> set[int]:
    """The rows whose metadata says that they stand for a directory."""
    offsets, entries = list(metadata.buffer(1)), metadata.child(0)
    keys, values = entries.child(0).to_pylist(), entries.child(1).to_pylist()
    told = {n for n, pair in enumerate(zip(keys, values, strict=True)) if _tells_a_folder(*pair)}
    return {row for row in range(len(metadata)) if told.intersection(range(offsets[row], offsets[row + 1]))}


def _tells_a_folder(key: str, value: str | None) -> bool:
    return key.lower() == "hdi_isfolder" and (value or "").strip().lower() == "true"


def _seconds(times: Array) -> list[float | None]:
    # As numbers: as datetimes, which ``to_pylist`` makes, they would cost more than all the other columns.
    per_second = _PER_SECOND[times.schema.unit.name]
    numbers: list[float | None] = [number // per_second for number in memoryview(times.buffer(1))]
    if times.buffer(0).size_bytes:  # some are missing
        numbers = [None if time is None else number for number, time in zip(numbers, times.to_pylist(), strict=False)]
    return numbers[: len(times)]


@contextmanager
def _stream(body: bytes) -> Iterator[ArrayStream]:
    from nanoarrow import ArrayStream  # noqa: PLC0415 - with the next, loaded where a service offers Arrow
    from nanoarrow.ipc import InputStream  # noqa: PLC0415

    try:
        with InputStream.from_readable(BytesIO(body)) as readable:
            yield ArrayStream(readable)
    except (RuntimeError, ValueError) as error:
        raise MalformedPage(f"the page is no Arrow stream: {str(error).splitlines()[0]}") from error
