"""What a poll remembers of a listing: leaves, packed some thousands of blobs to a row.

A *leaf* is a short run of records. It is known by its length and digest, so that the same run is recognised without
parsing it, and holds a hash of each name and ETag, so that a run that differs can be told in what. A row is the leaves
of about ``ROW`` blobs; its key is a number that sorts it, eight bytes, big-endian. Rows stay packed in memory too:
some 24 bytes a blob.

64 bits of a name: two of a million names are taken for one another with a chance of 3 in 100 million. An unchanged
leaf that is not is a collision of XXH3 with 128 bits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["ROW", "Leaf", "NewRow", "PackedSnapshot", "Row", "RowWriter", "numbered", "pack", "unpack", "versions"]

ROW = 5000  # blobs
LARGE_ROW, SMALL_ROW = ROW * 3 // 2, ROW // 4
_STEP = 1 << 40  # between the numbers of two rows, so that others fit in between
_FORMAT = 1
_HEAD = struct.Struct("<BI")
_KEY = struct.Struct(">Q")

Row = tuple[bytes, bytes]  # key and content
NewRow = tuple[bytes | None, bytes]  # the same; one that is new has no key yet


class Leaf(NamedTuple):
    """``key``: the first record up to the end of its name; ``names`` and ``etags``: eight bytes for each object."""

    key: bytes
    length: int
    digest: bytes
    names: bytes
    etags: bytes

    @property
    def objects(self) -> int:
        return len(self.names) // 8


def pack(leaves: Sequence[Leaf]) -> bytes:
    """Leaves as a row."""
    count = len(leaves)
    numbers = struct.pack(
        f"<{3 * count}I",
        *(len(leaf.key) for leaf in leaves),
        *(leaf.length for leaf in leaves),
        *(len(leaf.names) for leaf in leaves),
    )
    texts = [b"".join(parts) for parts in zip(*((x.digest, x.key, x.names, x.etags) for x in leaves), strict=True)]
    return b"".join((_HEAD.pack(_FORMAT, count), numbers, *texts))


def unpack(row: bytes) -> list[Leaf]:
    """The leaves of a row; ValueError when it is none of this format."""
    keys, lengths, sizes = _sizes(row)
    digest = _HEAD.size + 12 * len(keys)
    key = digest + 16 * len(keys)
    name = key + sum(keys)
    etag = name + sum(sizes)
    leaves = []
    for key_size, length, size in zip(keys, lengths, sizes, strict=True):
        leaves.append(
            Leaf(
                row[key : key + key_size],
                length,
                row[digest : digest + 16],
                row[name : name + size],
                row[etag : etag + size],
            )
        )
        digest, key, name, etag = digest + 16, key + key_size, name + size, etag + size
    return leaves


def versions(rows: Iterable[bytes], wanted: set[int]) -> dict[int, set[int]]:
    """The hashes of the ETags under those hashes of names, as far as these rows have them."""
    found: dict[int, set[int]] = {}
    for row in rows if wanted else ():
        keys, _, sizes = _sizes(row)
        begin, size = _HEAD.size + 28 * len(keys) + sum(keys), sum(sizes)
        names = struct.unpack_from(f"<{size // 8}Q", row, begin)
        if wanted.isdisjoint(names):
            continue
        for name, etag in zip(names, struct.unpack_from(f"<{size // 8}Q", row, begin + size), strict=True):
            if name in wanted:
                found.setdefault(name, set()).add(etag)
    return found


def _sizes(row: bytes) -> tuple[tuple[int, ...], ...]:
    """Of the leaves of a row: the lengths of their keys, of their records, and of their names."""
    if row[:1] != bytes((_FORMAT,)):
        raise ValueError(f"a snapshot of format {row[:1].hex() or 'none'} is not known to this version")
    _, count = _HEAD.unpack_from(row)
    numbers = struct.unpack_from(f"<{3 * count}I", row, _HEAD.size)
    return numbers[:count], numbers[count : 2 * count], numbers[2 * count :]


@dataclass(frozen=True, slots=True)
class PackedSnapshot:
    """The rows of a place, in the order of the listing."""

    rows: tuple[Row, ...] = field(default=(), repr=False)

    @classmethod
    def load(cls, rows: Iterable[Row]) -> PackedSnapshot:
        """From the database, in any order."""
        return cls(tuple(sorted(rows)))


class RowWriter:
    """Turns the leaves of a new listing into rows, and leaves alone the rows whose leaves all stay.

    The walk tells when it ``enter``s a row of the old snapshot, then which leaves it ``keep``s or ``lose``s, and which
    it ``gain``s.
    """

    def __init__(self, before: PackedSnapshot) -> None:
        self._old = dict(before.rows)
        self._ahead = iter(before.rows)  # what has not been entered yet
        self._next: Row | None = next(self._ahead, None)
        self._origins: list[bytes] = []  # keys of rows whose leaves are here, and that nothing took over yet
        self._leaves: list[Leaf] = []
        self._objects = 0  # in those leaves
        self._changed = False
        self._rows: list[NewRow] = []

    def enter(self, key: bytes) -> None:
        """The walk has come to the first leaf of that old row, or beyond it."""
        if self._next is None or self._next[0] != key:
            return
        self._close()
        self._next = next(self._ahead, None)
        self._origins.append(key)

    def keep(self, leaf: Leaf) -> None:
        self._leaves.append(leaf)
        self._objects += leaf.objects

    def lose(self) -> None:
        """A leaf of the rows that were entered is there no more."""
        self._changed = True

    def gain(self, leaves: Iterable[Leaf]) -> None:
        """These leaves were not there, or stand in the place of others."""
        self._changed = True
        for leaf in leaves:
            self.keep(leaf)
        if self._objects >= LARGE_ROW:
            self._flush(leave=ROW)

    def finish(self) -> list[NewRow]:
        """The rows as they are now."""
        if self._changed:
            self._flush(leave=0)
            self._origins.clear()
        else:
            self._close()
        return self._rows

    def _close(self) -> None:
        """A row ends here, unless what there is of it is too little for one."""
        if not self._changed:
            self._rows += [(key, self._old[key]) for key in self._origins]
        else:
            self._flush(leave=SMALL_ROW)
            if self._leaves:
                return
            self._changed = False
        self._origins.clear()
        self._leaves, self._objects = [], 0

    def _flush(self, *, leave: int) -> None:
        """Make rows of the leaves, but for the last when they hold fewer than ``leave`` objects."""
        for leaves in _portions(self._leaves):
            objects = sum(leaf.objects for leaf in leaves)
            if objects < leave:
                self._leaves, self._objects = leaves, objects
                return
            self._rows.append((self._origins.pop(0) if self._origins else None, pack(leaves)))
        self._leaves, self._objects = [], 0


def numbered(rows: Iterable[NewRow]) -> list[Row]:
    """Rows with keys that sort them. Those that have one keep it, unless there is no room for new ones before it."""
    found: list[Row] = []
    new: list[bytes] = []
    lower = 0
    rows = list(rows)
    for key, content in rows:
        if key is None:
            new.append(content)
            continue
        upper = _KEY.unpack(key)[0]
        step = (upper - lower) // (8 * len(new)) if new else 1
        if not step:
            return _spread(0, _STEP, [content for _, content in rows])
        found += [*_spread(lower, step, new), (key, content)]
        lower, new = upper, []
    return found + _spread(lower, _STEP, new)


def _spread(lower: int, step: int, contents: Sequence[bytes]) -> list[Row]:
    return [(_KEY.pack(lower + step * number), content) for number, content in enumerate(contents, 1)]


def _portions(leaves: Sequence[Leaf]) -> Iterator[list[Leaf]]:
    """Leaves in portions of about ``ROW`` objects; the last may be smaller, or half as large again."""
    rest = sum(leaf.objects for leaf in leaves)
    portion: list[Leaf] = []
    count = 0
    for leaf in leaves:
        portion.append(leaf)
        count += leaf.objects
        if count >= ROW and rest - count > SMALL_ROW:
            yield portion
            portion, rest, count = [], rest - count, 0
    if portion:
        yield portion
