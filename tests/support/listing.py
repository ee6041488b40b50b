"""A listing that lives in memory, and gives its pages byte for byte as a blob service writes them."""

from __future__ import annotations

import bisect
import io
from collections.abc import Callable, Iterator
from email.utils import formatdate, parsedate_to_datetime
from urllib.parse import quote, unquote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pyarrow

from aml_magics.datastores.blob_arrow import ArrowPage, read_arrow
from aml_magics.datastores.blob_xml import Page, read_page

__all__ = ["LiveListing", "arrow_page", "xml_page", "xml_record"]

_REST = (
    "<Content-Type>application/octet-stream</Content-Type><Content-Encoding /><Content-Language /><Content-CRC64 />"
    "<Content-MD5>1B2M2Y8AsgTpgAmY7PhCfg==</Content-MD5><Cache-Control /><Content-Disposition />"
    "<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred>"
    "<LeaseStatus>{lease}</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted>"
)


def xml_record(
    name: str,
    etag: str,
    *,
    size: int = 3,
    modified: float = 1.7e9,
    lease: str = "unlocked",
    kind: str = "",
    metadata: str = "",
) -> bytes:
    """A record; names that XML cannot carry are encoded. ``kind``: file or directory, of a hierarchical namespace."""
    encoded = any(letter < " " or letter in "\ufffe\uffff" for letter in name)
    text = quote(name) if encoded else escape(name)
    attribute = ' Encoded="true"' if encoded else ""
    moment = formatdate(modified, usegmt=True)
    resource = f"<ResourceType>{kind}</ResourceType>" if kind else ""
    return (
        f"<Blob><Name{attribute}>{text}</Name><Properties><Creation-Time>{moment}</Creation-Time>"
        f"<Last-Modified>{moment}</Last-Modified><Etag>{etag}</Etag>{resource}<Content-Length>{size}</Content-Length>"
        f"{_REST.format(lease=lease)}</Properties>{metadata or '<Metadata />'}<OrMetadata /></Blob>"
    ).encode()


def xml_page(records: list[bytes], marker: str = "", *, asked: str = "") -> bytes:
    """A whole reply. ``asked``: the elements that say what was asked for."""
    following = f"<NextMarker>{escape(marker)}</NextMarker>" if marker else "<NextMarker />"
    head = (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/"'
        ' ContainerName="c">'
    )
    listed = f"<Blobs>{b''.join(records).decode()}</Blobs>" if records else "<Blobs />"
    return f"{head}{asked}{listed}{following}</EnumerationResults>".encode()


def arrow_page(records: list[bytes], marker: str | None = "", *, unit: str = "s", **columns: pyarrow.Array) -> bytes:
    """The same records as an Arrow stream of several batches. ``columns`` come on top, or in the place of others."""
    rows = [ET.fromstring(record) for record in records]
    texts = {
        column: pyarrow.array([row.findtext(f"Properties/{column}") for row in rows], pyarrow.string())
        for column in ("Etag", "ResourceType", "LeaseStatus")
    }
    moments = [parsedate_to_datetime(row.findtext("Properties/Last-Modified")) for row in rows]
    sizes = [int(row.findtext("Properties/Content-Length")) for row in rows]
    metadata = [[(entry.tag, entry.text) for entry in row.find("Metadata")] for row in rows]
    table = pyarrow.table(
        {
            "Name": pyarrow.array(map(_name, rows), pyarrow.string()),
            **texts,
            "Last-Modified": pyarrow.array(moments, pyarrow.timestamp(unit, tz="UTC")),
            "Content-Length": pyarrow.array(sizes, pyarrow.int64()),
            "Metadata": pyarrow.array(metadata, pyarrow.map_(pyarrow.string(), pyarrow.string())),
            **columns,
        }
    )
    table = table.replace_schema_metadata({} if marker is None else {"NextMarker": marker})
    stream = io.BytesIO()
    with pyarrow.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    return stream.getvalue()


def _name(blob: ET.Element) -> str:
    name = blob.find("Name")
    return unquote(name.text) if name.get("Encoded") else name.text


class LiveListing:
    """Records by name. ``before_page`` is called before each page but the first, and may change them."""

    def __init__(self, page_size: int, order: Callable[[str], object] = str.encode) -> None:
        self.records: dict[str, bytes] = {}
        self.page_size = page_size
        self.order = order
        self.rendered: Callable[[bytes], bytes] = lambda page: page
        self.in_arrow: Callable[[], bool] = lambda: False  # asked for each page
        self.before_page: Callable[[], object] = lambda: None
        self.shown: list[bytes] = []  # the records of the last sweep

    def pages(self, path: str = "", *, recursive: bool = True) -> Iterator[Page | ArrowPage]:
        self.shown = []
        after: object = None
        while True:
            names = sorted(self.records, key=self.order)
            start = bisect.bisect_right([self.order(name) for name in names], after) if after is not None else 0
            chosen = names[start : start + self.page_size]
            records = [self.records[name] for name in chosen]
            self.shown += records
            goes_on = start + self.page_size < len(names)
            yield self._page(records, "more" if goes_on else "")
            if not goes_on:
                return
            after = self.order(chosen[-1])
            self.before_page()

    def _page(self, records: list[bytes], marker: str) -> Page | ArrowPage:
        if self.in_arrow():
            return read_arrow(arrow_page(records, marker))
        return read_page(self.rendered(xml_page(records, marker)), has_prefixes=False)
