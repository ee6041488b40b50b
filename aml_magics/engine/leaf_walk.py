"""What changed in a large place since the last look, without parsing what did not.

The snapshot is a list of *leaves*: short runs of the records that the listing gave, each with a digest. A sweep walks
the pages with the leaves in step. Where the next bytes are those of the next leaf, nothing is parsed. Elsewhere the
walk looks for the first record of one of the next leaves, parses what lies before it and compares it with the leaves
that it stands for. A leaf that the end of a page cuts is put together with the next page. A page that comes as an
Arrow stream, which is cheap to read, is one leaf.

Where the two lists fall into step again is a guess, good or bad for the speed alone. What a stretch of records and its
leaves do not have in common is set aside, and whatever turns up on both sides by the end of the sweep has not come or
gone. So the verdict is that of two sets of (name, ETag), whatever the order of the listing. A lease or a tier that
changes the bytes of a record costs that record's parsing, and is no change.

Memory: the rows of both snapshots, of which the unchanged ones are the same, a page or two, and the changes.
"""

from __future__ import annotations

import struct
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import Protocol, runtime_checkable
from xml.sax.saxutils import escape

from xxhash import xxh3_64_intdigest, xxh3_128_digest

from aml_magics.datastores.base import ObjectInfo
from aml_magics.datastores.blob_arrow import ArrowPage, arrow_records
from aml_magics.datastores.blob_xml import RECORD_START, Page, Record, as_info, read_records
from aml_magics.engine.packing import Leaf, PackedSnapshot, Row, RowWriter, numbered, unpack, versions

__all__ = ["PagedStore", "Sweep", "Walk", "conclude", "sweep"]

LEAF = 16  # records
LOOK_AHEAD = 5  # leaves
WINDOW = 1 << 16  # bytes in which one of those is looked for
_NAME_END = b"</Name>"

Hashes = Sequence[int | None]  # one for each record; ``None``: it is no object
Leaves = Iterable[Leaf]


@runtime_checkable
class PagedStore(Protocol):
    """A datastore that lists in pages of records, always in the same order."""

    def pages(self, path: str, *, recursive: bool) -> Iterator[Page | ArrowPage]:
        """The pages of a place. Raises AmlError instead of giving a page that is not whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A look at a place, and what to write about it: ``drop`` and ``put`` are rows of the snapshot, no key in both.

    ``gone``: those of the watched names that were removed. ``parsed``: records that had to be read.
    """

    objects: int
    added: list[ObjectInfo]
    modified: list[ObjectInfo]
    removed: int
    gone: list[str]
    put: list[Row] = field(repr=False)
    drop: list[bytes]
    snapshot: PackedSnapshot
    pages: int
    parsed: int


def sweep(
    store: PagedStore,
    place_path: str,
    recursive: bool,
    snapshot: PackedSnapshot,
    watched: Collection[str] = (),
    *,
    baseline: bool = False,
) -> Sweep:
    """List a place and compare it with ``snapshot``. Blocks.

    A ``baseline`` reports nothing, whatever was before. Whatever ``store`` raises leaves the snapshot as it was.
    """
    pages = store.pages(place_path, recursive=recursive)
    return conclude(snapshot, [Walk(pages, snapshot, reporting=not baseline)], watched)


def conclude(
    snapshot: PackedSnapshot, walks: Sequence[Walk], watched: Collection[str], head: Sequence[Row] = ()
) -> Sweep:
    """What ``walks`` through parts of a place make of it, one after another, behind those rows of its ``snapshot``."""
    rows = numbered([*head, *(row for walk in walks for row in walk.rows)])
    before, keys = dict(snapshot.rows), {key for key, _ in rows}
    hashes = {xxh3_64_intdigest(name.encode()): name for name in watched}
    return Sweep(
        objects=sum(walk.objects for walk in walks),
        added=[as_info(record) for walk in walks for record in walk.added],
        modified=[as_info(record) for walk in walks for record in walk.modified],
        removed=sum(len(walk.removed) for walk in walks),
        gone=[hashes[name] for walk in walks for name in walk.removed if name in hashes],
        put=[row for row in rows if before.get(row[0]) != row[1]],
        drop=[key for key in before if key not in keys],
        snapshot=PackedSnapshot(tuple(rows)),
        pages=sum(walk.pages for walk in walks),
        parsed=sum(walk.parsed for walk in walks),
    )


class _OldLeaves:
    """The leaves of a snapshot, one after another, unpacked a row at a time. A row's key comes with its first leaf."""

    def __init__(self, snapshot: PackedSnapshot) -> None:
        self._rows = iter(snapshot.rows)
        self._waiting: deque[tuple[bytes | None, Leaf]] = deque()

    def first(self) -> tuple[bytes | None, Leaf] | None:
        if not self._waiting and not self._unpack():
            return None
        return self._waiting[0]

    def next_few(self, count: int) -> list[Leaf]:
        while len(self._waiting) < count and self._unpack():
            pass
        return [leaf for _, leaf in islice(self._waiting, count)]

    def pop(self) -> tuple[bytes | None, Leaf]:
        return self._waiting.popleft()

    def _unpack(self) -> bool:
        row = next(self._rows, None)
        if row is None:
            return False
        key, content = row
        for number, leaf in enumerate(unpack(content)):
            self._waiting.append((None if number else key, leaf))
        return True


class _Differences:
    """What is on one side only, by the hash of its name, until the other side turns up or the sweep ends."""

    def __init__(self) -> None:
        self._new: dict[int, tuple[int, Record]] = {}
        self._old_names, self._old_etags = array("Q"), array("Q")
        self._modified: dict[int, Record] = {}

    def compare(self, old: Sequence[Leaf], names: Sequence[int], etags: Sequence[int], found: Sequence[Record]) -> None:
        before: dict[int, int] = {}
        for leaf in old:
            before.update(zip(_numbers(leaf.names), _numbers(leaf.etags), strict=True))
        for name, etag, record in zip(names, etags, found, strict=True):
            known = before.pop(name, None)
            if known is None:
                self._new[name] = (etag, record)
            elif known != etag:
                self._modified[name] = record
        self._old_names.extend(before.keys())
        self._old_etags.extend(before.values())

    def settle(
        self, before: Iterable[bytes], after: Iterable[bytes]
    ) -> tuple[list[Record], list[Record], Sequence[int]]:
        """Added, modified, and the hashes of the names that were removed; the rows are all of both sides.

        What a listing has shown twice, now or the last time, has neither come nor gone.
        """
        removed = []
        for name, etag in zip(self._old_names, self._old_etags, strict=True):
            new = self._new.pop(name, None)
            if new is None:
                removed.append(name)
            elif new[0] != etag:
                self._modified[name] = new[1]
        for name, etags in versions(before, set(self._new)).items():
            etag, record = self._new.pop(name)
            if etag not in etags:
                self._modified[name] = record
        twice = versions(after, set(removed))
        removed = [name for name in removed if name not in twice]
        return [record for _, record in self._new.values()], list(self._modified.values()), removed


class Walk:
    """A walk through ``pages``, with the leaves of ``snapshot`` in step; and what it found.

    ``added`` and ``modified`` are records, ``removed`` the hashes of names: nothing, if it is not ``reporting``.
    """

    def __init__(self, pages: Iterable[Page | ArrowPage], snapshot: PackedSnapshot, *, reporting: bool = True) -> None:
        self.pages = self.objects = self.parsed = 0
        self._old = _OldLeaves(snapshot)
        self._writer = RowWriter(snapshot)
        self._differences = _Differences() if reporting else None
        self._carried = b""
        for page in pages:
            self.pages += 1
            if isinstance(page, ArrowPage):
                self._read_arrow(page)
            else:
                self._read(page)
        while self._old.first():
            self._replace(1, b"", 0, 0)
        self.rows = self._writer.finish()
        self.added, self.modified, self.removed = self._settled(snapshot)

    def _settled(self, snapshot: PackedSnapshot) -> tuple[list[Record], list[Record], Sequence[int]]:
        if self._differences is None:
            return [], [], []
        return self._differences.settle((row for _, row in snapshot.rows), (row for _, row in self.rows))

    def _read(self, page: Page) -> None:
        body, at, end = self._joined(page)
        while at < end:
            following = self._keep_while_equal(body, at, end)
            if following == end:
                return
            at = self._mend(body, following, end, is_last=not page.marker)
            if at < 0:
                self._carried = body[following:end]
                return

    def _read_arrow(self, page: ArrowPage) -> None:
        if self._carried:  # of a page of XML before this one
            self._read(Page(b"", 0, 0, ""))
        first = self._old.first()
        if first and first[1].length == len(page.body) and xxh3_128_digest(page.body) == first[1].digest:
            self._keep(*self._old.pop())
            return
        found = arrow_records(page)
        names = [record[0] for record in found if record]
        if not names:
            return
        self._skip_before(_key_of(names[-1]))
        first = self._old.first()
        stands_for = 1 if first and first[1].key <= _key_of(names[-1]) else 0
        self._exchange(stands_for, found, lambda *hashes: [_leaf(_key_of(names[0]), page.body, *hashes)])

    def _joined(self, page: Page) -> tuple[bytes, int, int]:
        """The page after what was carried over: a leaf that fits is kept, and nothing is copied."""
        body, start, end, _ = page
        carried, self._carried = self._carried, b""
        if not carried:
            return body, start, end
        first = self._old.first()
        rest = first[1].length - len(carried) if first else 0
        whole = carried + body[start : start + rest] if 0 < rest <= end - start else b""
        if first and whole and xxh3_128_digest(whole) == first[1].digest:
            self._keep(*self._old.pop())
            return body, start + rest, end
        joined = carried + body[start:end]
        return joined, 0, len(joined)

    def _keep_while_equal(self, body: bytes, at: int, end: int) -> int:
        """Walk on while the bytes are those of the leaves. Returns where they are not."""
        view = memoryview(body)
        while first := self._old.first():
            following = at + first[1].length
            if following > end or xxh3_128_digest(view[at:following]) != first[1].digest:
                break
            self._keep(*self._old.pop())
            at = following
        return at

    def _keep(self, row: bytes | None, leaf: Leaf) -> None:
        if row is not None:
            self._writer.enter(row)
        self._writer.keep(leaf)
        self.objects += leaf.objects

    def _mend(self, body: bytes, at: int, end: int, *, is_last: bool) -> int:
        """Read some of the records from ``at`` on. Returns where to go on, or -1 when that takes the next page."""
        ahead = self._old.next_few(LOOK_AHEAD)
        if not ahead:
            return self._replace(0, body, at, end)
        limit = min(end, at + max(WINDOW, 2 * ahead[0].length))
        step, following = _in_step_again(ahead, body, at, limit)
        if following >= 0:
            return self._replace(step, body, at, following)
        if limit == end and not is_last:
            return -1
        if self._skip_before(_key(body, at)):
            return at
        last = end if limit == end else body.rfind(RECORD_START, at + 1, limit)
        return self._replace(0, body, at, last if last > 0 else _next_record(body, at, end))

    def _skip_before(self, key: bytes) -> bool:
        """Give up the old leaves that end before a record, as far as the order of bytes can tell. Whether any did."""
        skipped = False
        name = key.removesuffix(_NAME_END)  # "a" comes before "a.csv", "a<" would not
        while len(ahead := self._old.next_few(2)) == 2 and ahead[1].key.removesuffix(_NAME_END) <= name:
            self._replace(1, b"", 0, 0)
            skipped = True
        return skipped

    def _replace(self, count: int, body: bytes, start: int, end: int) -> int:
        """Put leaves of these records in the place of the next ``count`` old ones. Returns ``end``."""
        starts, found = read_records(body, start, end) if start < end else ([], [])
        self._exchange(count, found, lambda names, etags: _leaves(body, starts, end, names, etags))
        return end

    def _exchange(self, count: int, found: Sequence[Record | None], leaves: Callable[[Hashes, Hashes], Leaves]) -> None:
        """Give up the next ``count`` old leaves for what ``leaves`` makes of the hashes of these records."""
        old = list(self._lost(count))
        names = [xxh3_64_intdigest(each[0]) if each else None for each in found]
        etags = [xxh3_64_intdigest(each[2]) if each else None for each in found]
        if found:
            self._writer.gain(leaves(names, etags))
        records = [each for each in found if each]
        self.parsed += len(found)
        self.objects += len(records)
        if self._differences:
            plain = [name for name in names if name is not None], [etag for etag in etags if etag is not None]
            self._differences.compare(old, *plain, records)

    def _lost(self, count: int) -> Iterator[Leaf]:
        for _ in range(count):
            if self._old.first():
                row, leaf = self._old.pop()
                if row is not None:
                    self._writer.enter(row)
                self._writer.lose()
                yield leaf


def _in_step_again(ahead: Sequence[Leaf], body: bytes, at: int, limit: int) -> tuple[int, int]:
    """How many leaves to replace, and where the next one begins; -1 when none of them is in sight.

    What would leave a very small leaf behind takes the next one with it.
    """
    for step, leaf in enumerate(ahead):
        place = body.find(leaf.key, at if step else at + 1, limit)
        if place < 0:
            continue
        if at < place < at + leaf.length // 2 and step + 1 < len(ahead):
            further = body.find(ahead[step + 1].key, place, limit)
            if further >= 0:
                return step + 1, further
        return step, place
    return 0, -1


def _leaves(body: bytes, starts: Sequence[int], end: int, names: Hashes, etags: Hashes) -> Leaves:
    view = memoryview(body)
    parts = max(1, len(starts) // LEAF)
    bounds = [len(starts) * part // parts for part in range(parts + 1)]
    for first, last in pairwise(bounds):
        is_rest = last == len(starts)  # and of all records, where there are more of them than places
        start, stop, inside = starts[first], end if is_rest else starts[last], slice(first, None if is_rest else last)
        yield _leaf(_key(body, start), view[start:stop], names[inside], etags[inside])


def _leaf(key: bytes, data: bytes | memoryview, names: Hashes, etags: Hashes) -> Leaf:
    return Leaf(key, len(data), xxh3_128_digest(data), _packed(names), _packed(etags))


def _key_of(name: bytes) -> bytes:
    """The key of a record that came without any XML."""
    return b"<Blob><Name>" + escape(name.decode()).encode() + _NAME_END


def _key(body: bytes, start: int) -> bytes:
    end = body.find(_NAME_END, start)
    return body[start : end + len(_NAME_END)]


def _next_record(body: bytes, at: int, end: int) -> int:
    following = body.find(RECORD_START, at + 1, end)
    return following if following >= 0 else end


def _packed(hashes: Hashes) -> bytes:
    present = [each for each in hashes if each is not None]
    return struct.pack(f"<{len(present)}Q", *present)


def _numbers(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 8}Q", packed)
