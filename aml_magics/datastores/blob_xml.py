"""Pages of a blob listing as bytes: where their records are, what a record says, and whether a page is whole.

Most records are never parsed, because a poll compares their bytes with those of the last one (``engine/leaf_walk.py``).
A ``Page`` therefore is the reply as it came, and the place of its records in it. Those that are parsed go down a
ladder: one strict pattern, as long as it matches every record; a wider one, for names with entities, encoded names and
directories; and a real XML parser for what neither expects. Whatever the step, the result is the same.

What is listed but is no object: virtual directories (``BlobPrefix``), directories of a hierarchical namespace, names
that end in a slash, directory stubs of the older Hadoop drivers (metadata ``hdi_isfolder``), snapshots, old versions
and deleted blobs. Names and ETags are the same bytes in every step: UTF-8 as the blob is really called, no quotes.
"""

from __future__ import annotations

import re
from calendar import timegm
from email.utils import parsedate
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from aml_magics.datastores.base import ObjectInfo
from aml_magics.model.errors import ServiceError

__all__ = [
    "CutShort",
    "MalformedPage",
    "Page",
    "Record",
    "Records",
    "as_info",
    "as_record",
    "page_of",
    "plain_name",
    "read_page",
    "read_records",
]

RECORD_START = b"<Blob><Name"


class MalformedPage(ServiceError):
    """A reply that is not one whole page of a listing: nothing in it is believed."""


class CutShort(MalformedPage):
    """A reply that ends too early: another try may give the whole of it."""


class Page(NamedTuple):
    """The records of a page are ``body[start:end]``; the next page begins at ``marker``, "" after the last one."""

    body: bytes
    start: int
    end: int
    marker: str


# Name, time of modification (in the form of HTTP, or POSIX seconds), ETag, size.
Record = tuple[bytes, bytes | float, bytes, bytes | int]


class Records(NamedTuple):
    """The records of a stretch of a page: where each begins, and what it says (``None``: it is no object).

    ``starts`` is one place alone when records and places cannot be told apart.
    """

    starts: list[int]
    found: list[Record | None]


_BLOB = re.compile(rb"<Blob>")
_TIMES = rb"<Properties>(?:<Creation-Time>[^<]*</Creation-Time>)?<Last-Modified>([^<]*)</Last-Modified>"
_VERSION = rb"(?:<VersionId>[^<]*</VersionId>)?(?:<IsCurrentVersion>true</IsCurrentVersion>)?"
_STRICT = re.compile(
    rb"<Blob><Name>([^<&\r]*)(?<!/)</Name>" + _VERSION + _TIMES + rb"<Etag>\"?([^<\"&]*)\"?</Etag>"
    rb"(?:<ResourceType>file</ResourceType>)?<Content-Length>(\d+)</Content-Length>"
)
_WIDE = re.compile(
    rb"<Blob><Name( Encoded=\"true\")?>([^<\r]*)</Name>" + _VERSION + _TIMES + rb"<Etag>([^<]*)</Etag>"
    rb"(?:<ResourceType>(\w+)</ResourceType>)?<Content-Length>(\d+)</Content-Length>"
)
_NAME = re.compile(RECORD_START + rb">([^<\r]*)</Name>")
_ENTITY = re.compile(r"&(?:#([0-9]+)|#x([0-9a-fA-F]+)|(\w+));")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_STUB = b"di_isfolder"  # H or h: the drivers differ
_STUB_ELEMENT = re.compile(rb"<[Hh]di_isfolder>\s*true\s*<", re.IGNORECASE)
_PREFIX = re.compile(
    rb"<BlobPrefix><Name(?: Encoded=\"true\")?>[^<]*</Name>"
    rb"(?:<Properties>(?:[^<]|<(?!/Properties>))*</Properties>|<Properties ?/>)?</BlobPrefix>"
)
_END = re.compile(
    rb"(?:</Blobs>|<Blobs ?/>)\s*(?:<NextMarker ?/>|<NextMarker>([^<]*)</NextMarker>)\s*</EnumerationResults>\s*"
)


def read_page(body: bytes, *, has_prefixes: bool) -> Page:
    """The page that a reply is; MalformedPage when it is cut short, or does not say once where it goes on.

    ``has_prefixes``: the listing was asked for with a delimiter, so virtual directories are between the blobs.
    """
    end = body.rfind(b"</Blobs>")
    if end < 0:
        end = body.find(b"<Blobs")
    ending = _END.fullmatch(body, max(end, 0))
    if ending is None:
        raise _what_is_wrong(body)
    opening = body.find(b"<Blobs>", 0, end)
    head = opening if opening >= 0 else end
    if body.find(b"<NextMarker", 0, head) >= 0:
        raise MalformedPage("the page has more than one NextMarker")
    start = opening + len(b"<Blobs>") if opening >= 0 else end
    marker = _text(ending[1] or b"")
    return _without_prefixes(body, start, end, marker) if has_prefixes else Page(body, start, end, marker)


def read_records(body: bytes, start: int, end: int) -> Records:
    """The records between two places of a page; MalformedPage when something there is no record."""
    starts = [blob.start() for blob in _BLOB.finditer(body, start, end)]
    found: list[Record | None] = _STRICT.findall(body, start, end)
    if len(found) != len(starts):
        wide = _WIDE.findall(body, start, end)
        if len(wide) != len(starts):
            return _parsed_records(body, start, end, starts)
        found = [_from_wide(*groups) for groups in wide]
    if body.find(_STUB, start, end) >= 0:
        ends = [*starts[1:], end]
        for index, (first, last) in enumerate(zip(starts, ends, strict=True)):
            if _STUB_ELEMENT.search(body, first, last):
                found[index] = None
    return Records(starts, found)


def as_info(record: Record) -> ObjectInfo:
    """A record in the terms of every datastore."""
    name, modified, etag, size = record
    try:
        return ObjectInfo(name.decode(), etag.decode(), int(size), _seconds(modified))
    except ValueError as error:
        raise MalformedPage(f"a record of the page makes no sense: {error}") from error


def plain_name(beginning: bytes) -> str | None:
    """The name in the first bytes of a record, up to its end; ``None`` when it is written in an odd way."""
    found = _NAME.fullmatch(beginning)
    return _text(found[1]) if found else None


def as_record(name: str, etag: str, size: int, modified: bytes) -> bytes:
    """A record of a page, from what it says."""
    text = (
        f"<Blob><Name>{escape(name)}</Name><Properties><Last-Modified>{modified.decode()}</Last-Modified>"
        f"<Etag>{escape(etag)}</Etag><Content-Length>{size}</Content-Length></Properties></Blob>"
    )
    return text.encode("utf-8", "surrogatepass")


def page_of(records: list[bytes], marker: str = "") -> Page:
    """A page of these records."""
    body = b"".join(records)
    return Page(body, 0, len(body), marker)


def _what_is_wrong(body: bytes) -> MalformedPage:
    if not body.rstrip().endswith(b"</EnumerationResults>"):
        return CutShort("the page ends before </EnumerationResults>")
    markers = body.count(b"<NextMarker", max(body.rfind(b"</Blobs>"), 0))
    if markers != 1:
        return MalformedPage(f"the page has {markers or 'no'} NextMarker" + ("s" if markers else ""))
    return MalformedPage("the page has no list of blobs where one belongs")


def _without_prefixes(body: bytes, start: int, end: int, marker: str) -> Page:
    if body.find(b"<BlobPrefix>", start, end) < 0:
        return Page(body, start, end, marker)
    records = _PREFIX.sub(b"", body[start:end])
    return Page(records, 0, len(records), marker)


def _from_wide(encoded: bytes, name: bytes, modified: bytes, etag: bytes, kind: bytes, size: bytes) -> Record | None:
    real = _text(name).encode()
    if encoded:
        real = unquote_to_bytes(real)
    if kind == b"directory" or real.endswith(b"/"):
        return None
    return real, modified, _text(etag).strip('"').encode(), size


def _parsed_records(body: bytes, start: int, end: int, starts: list[int]) -> Records:
    found = _parse(body[start:end])
    real = [at for at in starts if body.startswith(RECORD_START, at)]
    return Records(real if len(real) == len(found) else [start], found)


def _parse(xml: bytes) -> list[Record | None]:
    try:
        root = ET.fromstring(b"<Blobs>" + xml + b"</Blobs>")  # noqa: S314 - inside <Blobs> nothing can be declared
    except ET.ParseError as error:
        raise MalformedPage(f"the page is not XML: {error}") from error
    return [_from_element(element) for element in root.iterfind("Blob")]


def _from_element(blob: ET.Element) -> Record | None:
    name, etag = blob.find("Name"), blob.findtext("Properties/Etag")
    modified, size = blob.findtext("Properties/Last-Modified"), blob.findtext("Properties/Content-Length")
    if name is None:
        raise MalformedPage("a record of the page has no name")
    text = (name.text or "").encode()
    real = unquote_to_bytes(text) if name.get("Encoded") == "true" else text
    if _is_no_object(blob) or real.endswith(b"/"):
        return None
    if etag is None or modified is None or size is None or not size.isdecimal():
        raise MalformedPage("a record of the page lacks its ETag, size or time")
    return real, modified.encode(), etag.strip('"').encode(), size.encode()


def _is_no_object(blob: ET.Element) -> bool:
    if blob.find("Snapshot") is not None or blob.findtext("Deleted") == "true":
        return True
    if blob.findtext("IsCurrentVersion") == "false" or blob.findtext("Properties/ResourceType") == "directory":
        return True
    metadata = blob.find("Metadata")
    entries = () if metadata is None else metadata
    return any(e.tag.lower() == "hdi_isfolder" and (e.text or "").strip().lower() == "true" for e in entries)


def _text(xml: bytes) -> str:
    """What stands between two tags, with its entities resolved."""
    try:
        return _ENTITY.sub(_resolved, xml.decode())
    except (ValueError, KeyError, OverflowError) as error:
        raise MalformedPage(f"the page is not XML: {error}") from error


def _resolved(entity: re.Match[str]) -> str:
    decimal, hexadecimal, name = entity.groups()
    return _ENTITIES[name] if name else chr(int(decimal) if decimal else int(hexadecimal, 16))


@lru_cache(maxsize=4096)
def _seconds(moment: bytes | float) -> float:
    if not isinstance(moment, bytes):
        return float(moment)
    fields = parsedate(moment.decode())
    if fields is None:
        raise ValueError(f"{moment.decode()!r} is no time")
    return float(timegm(fields))
