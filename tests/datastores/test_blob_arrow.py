"""Pages as Arrow streams say the same as pages in XML, and are taken only when they are understood."""

from __future__ import annotations

import pyarrow
import pytest

from aml_magics.datastores.blob_arrow import ArrowPage, arrow_records, read_arrow
from aml_magics.datastores.blob_xml import MalformedPage, as_info, read_page, read_records
from tests.support.listing import arrow_page, xml_page, xml_record

STUB = "<Metadata><other>x</other><Hdi_isfolder>True</Hdi_isfolder></Metadata>"
RECORDS = [
    xml_record("a&b<c>", "0x1", size=7, modified=1.7e9 + 1),
    xml_record("ctl\x01ü𝔘\ufffe", "0x2", size=0),
    xml_record("file", "0x3", kind="file", metadata="<Metadata><x>1</x><y>2</y></Metadata>"),
    xml_record("directory", "0x4", kind="directory"),
    xml_record("slash/", "0x5"),
    xml_record("stub", "0x6", size=0, metadata=STUB),
    xml_record("no stub", "0x7", metadata="<Metadata><hdi_isfolder>false</hdi_isfolder></Metadata>"),
    *(xml_record(f"more/{number}", f"0x1{number}", modified=1.7e9 + number) for number in range(20)),
]


def infos(body: bytes) -> list:
    return [as_info(record) for record in arrow_records(read_arrow(body)) if record]


def test_an_arrow_page_says_what_the_xml_says():
    page = read_page(xml_page(RECORDS), has_prefixes=False)
    expected = [as_info(record) for record in read_records(page.body, page.start, page.end).found if record]
    assert len(expected) == len(RECORDS) - 3
    assert infos(arrow_page(RECORDS)) == expected


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_are_seconds_in_every_unit(unit):
    assert infos(arrow_page(RECORDS, unit=unit))[0].modified == 1.7e9 + 1


def test_the_library_reads_the_same_page_in_the_same_way():
    from azure.storage.blob._list_blobs_helper import _parse_arrow_response

    body = arrow_page(RECORDS, "next & more")
    marker, blobs = _parse_arrow_response(body, "c")
    assert read_arrow(body) == ArrowPage(body, marker)
    known = {blob.name: (blob.etag, blob.size, blob.last_modified.timestamp()) for blob in blobs}
    mine = {name: (etag, size, modified) for name, etag, size, modified in infos(body)}
    assert mine == {name: found for name, found in known.items() if name not in ("directory", "slash/", "stub")}


@pytest.mark.parametrize(
    ("column", "value"),
    [("Snapshot", "2026"), ("Deleted", True), ("IsCurrentVersion", False), ("ResourceType", "blobprefix")],
)
def test_what_is_no_object_is_left_out(column, value):
    columns = {column: pyarrow.array([None, value, None])}
    names = [info.name for info in infos(arrow_page(RECORDS[:3], **columns))]
    assert names == ["a&b<c>", "file"]


def test_quotes_around_an_etag_are_none_of_it():
    assert infos(arrow_page(RECORDS[:1], Etag=pyarrow.array(['"0x1"']))) == infos(arrow_page(RECORDS[:1]))


def test_a_page_without_rows_is_a_page():
    assert infos(arrow_page([], "more")) == []
    assert read_arrow(arrow_page([], "more")).marker == "more"


NOT_UNDERSTOOD = {
    "no NextMarker": arrow_page(RECORDS, None),
    "an ETag that is a number": arrow_page(RECORDS[:1], Etag=pyarrow.array([1])),
    "a size in text": arrow_page(RECORDS[:1], **{"Content-Length": pyarrow.array(["1"])}),
    "no end": arrow_page(RECORDS)[:-8],
    "XML": xml_page(RECORDS),
    "nothing": b"",
    "noise": b"\x00" * 100 + arrow_page(RECORDS)[-8:],
}


@pytest.mark.parametrize("what", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_no_page(what):
    assert read_arrow(NOT_UNDERSTOOD[what]) is None


@pytest.mark.parametrize("column", ["Name", "Etag", "Content-Length", "Last-Modified"])
def test_a_row_that_lacks_something_is_not_passed_over(column):
    with pytest.raises(MalformedPage):
        infos(arrow_page(RECORDS[:1], **{column: pyarrow.nulls(1, TYPES[column])}))


TYPES = {
    "Name": pyarrow.string(),
    "Etag": pyarrow.string(),
    "Content-Length": pyarrow.int64(),
    "Last-Modified": pyarrow.timestamp("s"),
}


def test_a_stream_that_is_damaged_inside_is_malformed():
    body = bytearray(arrow_page(RECORDS))
    body[-600:-100] = b"\xff" * 500
    with pytest.raises(MalformedPage):
        infos(bytes(body))
