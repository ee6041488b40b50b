"""What a record of a listing says, on every step of the ladder of parsers."""

from __future__ import annotations

import pytest

from aml_magics.datastores import blob_xml
from aml_magics.datastores.base import ObjectInfo
from aml_magics.datastores.blob_xml import MalformedPage, as_info, read_page, read_records
from tests.support.listing import xml_page, xml_record

PLAIN = xml_record("plain", "0x1", size=7)
STUB = xml_record("stub", "0x2", metadata="<Metadata><hdi_isfolder>true</hdi_isfolder></Metadata>")
PREFIX = b"<BlobPrefix><Name>dir/</Name></BlobPrefix>"
HNS_PREFIX = (
    b"<BlobPrefix><Name>dir/</Name><Properties><Etag>0x9</Etag><ResourceType>directory</ResourceType>"
    b"</Properties></BlobPrefix>"
)


def infos(*records: bytes, has_prefixes: bool = False) -> list[ObjectInfo]:
    page = read_page(xml_page(list(records)), has_prefixes=has_prefixes)
    return [as_info(record) for record in read_records(page.body, page.start, page.end).found if record]


def names(*records: bytes, has_prefixes: bool = False) -> list[str]:
    return [info.name for info in infos(*records, has_prefixes=has_prefixes)]


def test_a_record_is_read_whole():
    assert infos(PLAIN) == [ObjectInfo("plain", "0x1", 7, 1.7e9)]


def test_plain_records_never_need_a_real_parser(monkeypatch):
    monkeypatch.setattr(blob_xml, "_parse", None)
    odd = [xml_record(name, "0x1") for name in ("a&b", "ctl\x01", "q\"'")]
    kinds = [xml_record(kind, "0x1", kind=kind) for kind in ("file", "directory")]
    assert names(PLAIN, *odd, *kinds, STUB) == ["plain", "a&b", "ctl\x01", "q\"'", "file"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a&amp;lt;b", "a&lt;b"),
        ("&#65;&#x42;", "AB"),
        ("&quot;&apos;", "\"'"),
        ("a%41", "a%41"),
        ("\U0001d518", "\U0001d518"),
    ],
)
def test_entities_are_resolved_once(text, name):
    assert names(PLAIN.replace(b"plain", text.encode())) == [name]


def test_encoded_names_are_decoded_and_others_are_not():
    encoded = PLAIN.replace(b"<Name>plain", b'<Name Encoded="true">%EF%BF%BE%25%41&amp;')
    assert names(encoded) == ["\ufffe%A&"]


UNUSUAL = {
    "its elements in another order": (
        b"<Blob><Properties><Content-Length>7</Content-Length><Etag>0x1</Etag>"
        b"<Last-Modified>Tue, 14 Nov 2023 22:13:20 GMT</Last-Modified></Properties><Name>plain</Name></Blob>"
    ),
    "white space": PLAIN.replace(b"><", b">\n  <"),
    "a quoted ETag": PLAIN.replace(b"0x1", b"&quot;0x1&quot;"),
    "an ETag in quotes": PLAIN.replace(b"0x1", b'"0x1"'),
    "a version": PLAIN.replace(
        b"<Properties>", b"<VersionId>1</VersionId><IsCurrentVersion>true</IsCurrentVersion><Properties>"
    ),
    "metadata that looks like a record": PLAIN.replace(
        b"<Metadata />", b"<Metadata><Blob>x</Blob><Name>y</Name></Metadata>"
    ),
}


@pytest.mark.parametrize("way", UNUSUAL)
def test_a_record_says_the_same_however_it_is_written(way):
    assert infos(UNUSUAL[way]) == infos(PLAIN)
    assert infos(PLAIN, UNUSUAL[way], STUB) == infos(PLAIN, PLAIN)


NO_OBJECTS = {
    "a directory": xml_record("d", "0x1", kind="directory"),
    "a stub": STUB,
    "a stub of another driver": STUB.replace(b"hdi_isfolder", b"Hdi_isfolder").replace(b">true<", b">True<"),
    "a name that ends in a slash": xml_record("d/", "0x1"),
    "a snapshot": PLAIN.replace(b"<Properties>", b"<Snapshot>2026</Snapshot><Properties>"),
    "an old version": PLAIN.replace(b"<Properties>", b"<IsCurrentVersion>false</IsCurrentVersion><Properties>"),
    "a deleted blob": PLAIN.replace(b"<Properties>", b"<Deleted>true</Deleted><Properties>"),
}


@pytest.mark.parametrize("what", NO_OBJECTS)
def test_what_is_no_object_is_left_out(what):
    assert names(PLAIN, NO_OBJECTS[what], xml_record("last", "0x9")) == ["plain", "last"]
    assert names(NO_OBJECTS[what]) == []


@pytest.mark.parametrize(
    "prefix", [PREFIX, HNS_PREFIX, PREFIX.replace(b"><", b"> <")], ids=["flat", "hierarchy", "spaced"]
)
def test_virtual_directories_are_taken_out_and_nothing_else(prefix):
    looks_alike = xml_record("x", "0x1", metadata="<Metadata><BlobPrefix>a</BlobPrefix></Metadata>")
    assert names(prefix, PLAIN, prefix, prefix, looks_alike, prefix, has_prefixes=True) == ["plain", "x"]
    assert names(prefix, prefix, has_prefixes=True) == []


@pytest.mark.parametrize("wrong", [b"<Blob><Name>x</Name></Blob>", b"<Blob></Blob>", b"<Blob><Name>x"])
def test_what_is_no_record_is_not_passed_over(wrong):
    with pytest.raises(MalformedPage):
        names(PLAIN, wrong, PLAIN)


def test_every_prefix_of_a_page_is_refused():
    whole = xml_page([PLAIN, STUB], "more")
    for size in range(len(whole)):
        with pytest.raises(MalformedPage):
            read_page(whole[:size], has_prefixes=False)
    assert read_page(whole, has_prefixes=False).marker == "more"
