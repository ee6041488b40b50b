"""The leaf walk tells exactly what changed, whatever changed and wherever, and reads nothing that did not."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from xxhash import xxh3_64_intdigest

from aml_magics.datastores.blob_xml import read_page
from aml_magics.engine import leaf_walk, packing
from aml_magics.engine.leaf_walk import Sweep, sweep
from aml_magics.engine.packing import PackedSnapshot, RowWriter, pack, unpack
from aml_magics.model.errors import ServiceError
from tests.support.listing import LiveListing, xml_page, xml_record

ODD = (
    "a&b",
    "a<b",
    "sp ace",
    "per%20cent",
    "ü",
    "𝔘",
    "uff\uff00",
    "ctl\x01",
    "no\ufffe",
    "amp&amp;",
    "q\"'",
    "new\nline",
)
ORDERS: dict[str, Callable[[str], object]] = {
    "bytes": str.encode,
    "utf-16": lambda name: name.encode("utf-16-be", "surrogatepass"),
    "slash first": lambda name: name.replace("/", "\0").encode(),
    "none that we know": lambda name: name[::-1].encode(),
}


@pytest.fixture(params=[2, 16, 64], ids=lambda size: f"leaf {size}")
def small(request, monkeypatch):
    """Leaves, windows and rows so small that their edges are everywhere."""
    monkeypatch.setattr(leaf_walk, "LEAF", request.param)
    monkeypatch.setattr(leaf_walk, "WINDOW", 6000)
    for name, value in (("ROW", 100), ("LARGE_ROW", 150), ("SMALL_ROW", 25)):
        monkeypatch.setattr(packing, name, value)
    return request.param


class World:
    """A listing that changes, and what a dictionary makes of the same records."""

    def __init__(self, seed: int, page_size: int, order: str = "bytes") -> None:
        self.random = random.Random(seed)
        self.listing = LiveListing(page_size, ORDERS[order])
        self.versions = 0
        self.known: dict[str, str] = {}
        self.rows: dict[bytes, bytes] = {}

    def name(self) -> str:
        choose = self.random
        odd = choose.choice(ODD) if choose.random() < 0.15 else ""
        return f"{choose.choice(('a', 'b', 'a-b', 'data', 'z'))}/{choose.randrange(10**5):05}{odd}"

    def put(self, name: str, **options) -> None:
        self.versions += 1
        self.listing.records[name] = xml_record(name, f"0x{self.versions:X}", **options)

    def churn(self, count: int) -> None:
        for _ in range(count):
            names = list(self.listing.records)
            kind = self.random.randrange(5)
            if kind < 2 or not names:
                self.put(self.name(), kind=self.random.choice(("", "", "", "file", "directory")))
            elif kind == 2:
                self.put(self.random.choice(names))
            elif kind == 3:
                del self.listing.records[self.random.choice(names)]
            else:
                self.retouch(self.random.choice(names))

    def retouch(self, name: str) -> None:
        """Another lease: other bytes, the same version."""
        record = self.listing.records[name]
        self.listing.records[name] = record.replace(b">unlocked<", b">locked<")

    def run(self, lo: int, hi: int) -> list[str]:
        """The names from one place of the listing to another."""
        return sorted(self.listing.records, key=self.listing.order)[lo:hi]

    def sweep(self, *, watched: tuple[str, ...] = (), baseline: bool = False) -> Sweep:
        """Sweep, check every word of the answer against the dictionary, and store what is to be stored."""
        found = sweep(self.listing, "", True, PackedSnapshot.load(self.rows.items()), watched, baseline=baseline)
        seen = dict(filter(None, map(truth, self.listing.shown)))
        assert found.objects == len(seen)
        if not baseline:
            assert versions(found.added) == {name: seen[name] for name in seen.keys() - self.known.keys()}
            stayed = seen.keys() & self.known.keys()
            assert versions(found.modified) == {n: seen[n] for n in stayed if seen[n] != self.known[n]}
            assert found.removed == len(self.known.keys() - seen.keys())
            assert sorted(found.gone) == sorted(set(watched) & (self.known.keys() - seen.keys()))
        assert not set(found.drop) & {key for key, _ in found.put}
        for key in found.drop:
            del self.rows[key]
        assert all(self.rows.get(key) != row for key, row in found.put)
        self.rows.update(found.put)
        assert PackedSnapshot.load(self.rows.items()) == found.snapshot
        assert held(found.snapshot) == [(hashed(name), hashed(etag)) for name, etag in seen.items()]
        self.known = seen
        return found


def spaced(page: bytes) -> bytes:
    """The same page, as no service writes it."""
    return page.replace(b"><", b">\n <")


@pytest.mark.parametrize("seed", range(4))
def test_pages_in_an_unusual_form_are_told_exactly_too(small, seed):
    world = World(seed, page_size=30)
    world.churn(200)
    world.sweep(baseline=True)
    for turn in range(8):
        world.listing.rendered = spaced if turn % 4 < 2 else lambda page: page
        world.churn(world.random.choice((0, 5, 50)))
        world.sweep()


@pytest.mark.parametrize("how", ["always", "for a time", "at random"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(2))
def test_pages_in_arrow_are_told_exactly_too(small, seed, order, how):
    world = World(seed, page_size=(7, 50)[seed % 2], order=order)
    world.churn(300)
    world.listing.in_arrow = lambda: how == "always"
    world.sweep(baseline=True)
    for turn in range(10):
        answers = {"always": True, "for a time": turn % 4 < 2, "at random": None}[how]
        world.listing.in_arrow = lambda now=answers: world.random.random() < 0.5 if now is None else now
        world.churn(world.random.choice((0, 1, 3, 40, 300)))
        world.listing.before_page = (lambda: world.churn(2)) if turn % 3 == 2 else lambda: None
        world.sweep(watched=tuple(world.random.choices(world.run(0, None) or ["x"], k=20)))
    world.listing.in_arrow, world.listing.before_page = lambda: True, lambda: None
    world.sweep()
    quiet = world.sweep()
    assert (quiet.parsed, quiet.put, quiet.drop) == (0, [], [])


def test_one_change_in_arrow_costs_the_reading_of_one_page(settled):
    settled.listing.in_arrow = lambda: True
    assert settled.sweep().modified == []
    assert settled.sweep().parsed == 0
    settled.put("d/00700")
    changed = settled.sweep()
    assert (changed.parsed, len(changed.put), changed.drop) == (300, 1, [])
    settled.retouch("d/00700")
    assert settled.sweep().modified == []


def test_pages_in_arrow_that_go_do_not_make_the_others_new(settled):
    settled.listing.in_arrow = lambda: True
    settled.sweep()
    for name in settled.run(0, 600):
        del settled.listing.records[name]
    gone = settled.sweep()
    assert (gone.removed, gone.parsed) == (600, 300)


def hashed(text: str) -> int:
    return xxh3_64_intdigest(text.encode())


def held(snapshot: PackedSnapshot) -> list[tuple[int, int]]:
    """The hashes of all names and ETags, in order."""
    leaves = [leaf for _, row in snapshot.rows for leaf in unpack(row)]
    names, etags = b"".join(leaf.names for leaf in leaves), b"".join(leaf.etags for leaf in leaves)
    pairs = zip(struct.iter_unpack("<Q", names), struct.iter_unpack("<Q", etags), strict=True)
    return [(name, etag) for (name,), (etag,) in pairs]


def truth(record: bytes) -> tuple[str, str] | None:
    """Name and ETag of a record as a real XML parser reads them; ``None`` for a directory."""
    blob = ET.fromstring(record)
    name = blob.find("Name")
    text = name.text or ""
    if blob.findtext("Properties/ResourceType") == "directory":
        return None
    return (unquote(text) if name.get("Encoded") else text), blob.findtext("Properties/Etag")


def versions(infos) -> dict[str, str]:
    found = {info.name: info.etag for info in infos}
    assert len(found) == len(infos)
    return found


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(6))
def test_random_churn_between_and_during_sweeps_is_told_exactly(small, seed, order):
    world = World(seed, page_size=(7, 50, 333)[seed % 3], order=order)
    world.churn(400)
    world.sweep(baseline=True)
    for turn in range(12):
        world.churn(world.random.choice((0, 1, 3, 40, 400)))
        during = (lambda: world.churn(2)) if turn % 3 == 2 else lambda: None
        world.listing.before_page = during
        world.sweep(watched=tuple(world.random.choices(world.run(0, None) or ["x"], k=20)))
    world.listing.before_page = lambda: None
    world.sweep()
    quiet = world.sweep()
    assert (quiet.parsed, quiet.put, quiet.drop) == (0, [], [])


@pytest.fixture
def settled() -> World:
    """Two thousand objects in pages of 300, known."""
    world = World(1, page_size=300)
    for number in range(2000):
        world.put(f"d/{number:05}")
    world.sweep(baseline=True)
    return world


def test_a_first_sweep_reports_nothing_and_knows_everything(settled):
    world = World(2, page_size=7)
    world.churn(50)
    first = world.sweep(baseline=True)
    assert (first.added, first.modified, first.removed, first.gone) == ([], [], 0, [])
    assert first.objects > 0


def test_a_sweep_without_a_snapshot_that_is_no_baseline_reports_everything():
    world = World(2, page_size=7)
    world.churn(50)
    assert len(world.sweep().added) == len(world.known) > 0


def test_where_nothing_changed_nothing_is_read_and_nothing_is_to_be_written(settled, monkeypatch):
    monkeypatch.setattr(leaf_walk, "read_records", None)
    unchanged = settled.sweep()
    assert (unchanged.objects, unchanged.parsed, unchanged.put, unchanged.drop) == (2000, 0, [], [])
    assert unchanged.pages == 7


@pytest.mark.parametrize("page_size", [1, 299, 301, 5000])
def test_other_pages_alone_need_no_reading(settled, page_size):
    settled.listing.page_size = page_size
    assert settled.sweep().parsed == 0


@pytest.mark.parametrize("at", [0, 777, 1999])
def test_one_change_costs_the_reading_of_a_few_records(settled, at):
    (name,) = settled.run(at, at + 1)
    settled.put(name)
    assert settled.sweep().parsed <= 2 * leaf_walk.LEAF
    del settled.listing.records[name]
    assert settled.sweep(watched=(name,)).parsed <= 4 * leaf_walk.LEAF
    settled.put(name + "x")
    assert settled.sweep().parsed <= 4 * leaf_walk.LEAF


def test_another_lease_is_no_change(settled):
    settled.retouch("d/00500")
    found = settled.sweep()
    assert (found.added, found.modified, found.removed) == ([], [], 0)
    assert 0 < found.parsed <= 2 * leaf_walk.LEAF
    assert settled.sweep().parsed == 0


@pytest.mark.parametrize(("lo", "hi"), [(0, 1200), (400, 1900), (800, 2000), (0, 2000), (17, 18), (16, 32)])
def test_a_run_that_goes_and_comes_back_costs_little_more_than_itself(settled, lo, hi):
    records = {name: settled.listing.records.pop(name) for name in settled.run(lo, hi)}
    gone = settled.sweep(watched=("d/00017", "d/01000"))
    assert gone.parsed <= 4 * leaf_walk.LEAF
    settled.listing.records.update(records)
    assert settled.sweep().parsed <= len(records) + 8 * leaf_walk.LEAF


def test_many_insertions_in_one_place_number_the_rows_anew(small, monkeypatch):
    monkeypatch.setattr(packing, "_STEP", 64)
    world = World(3, page_size=100)
    for number in range(400):
        world.put(f"{'az'[number // 200]}/{number}")
    world.sweep(baseline=True)
    moved = 0
    for turn in range(12):
        keys = {content: key for key, content in world.rows.items()}
        for number in range(60):
            world.put(f"m/{turn if turn % 2 else 900 - turn:03}/{number:03}")
        world.sweep()
        moved += sum(keys.get(content, key) != key for key, content in world.rows.items())
    assert moved
    assert world.sweep().put == []


def test_rows_and_leaves_keep_their_size_through_churn(small):
    world = World(4, page_size=90)
    world.churn(600)
    world.sweep(baseline=True)
    for _ in range(25):
        world.churn(150)
        snapshot = world.sweep().snapshot
    sizes = [[leaf.objects for leaf in unpack(row)] for _, row in snapshot.rows]
    assert all(sum(row) <= packing.LARGE_ROW + 2 * small for row in sizes)
    assert len(sizes) <= 2 + sum(map(sum, sizes)) // packing.SMALL_ROW
    assert sum(map(len, sizes)) <= 4 * sum(map(sum, sizes)) / small + len(sizes)


def test_a_listing_that_fails_leaves_the_snapshot_as_it_was(settled):
    def fail() -> None:
        raise ServiceError("cannot list")

    settled.put("d/00000")
    settled.listing.before_page = fail
    with pytest.raises(ServiceError):
        settled.sweep()
    settled.listing.before_page = lambda: None
    assert len(settled.sweep().modified) == 1


def test_a_snapshot_of_another_format_is_refused():
    leaf = packing.Leaf(b"<Blob><Name>a</Name>", 9, b"d" * 16, b"n" * 16, b"e" * 16)
    row = pack([leaf, leaf._replace(key=b"", names=b"", etags=b"")])
    assert unpack(row) == [leaf, leaf._replace(key=b"", names=b"", etags=b"")]
    with pytest.raises(ValueError, match="format 07"):
        unpack(b"\x07" + row[1:])


def test_two_million_objects_would_take_fifty_megabytes(settled):
    snapshot = settled.sweep().snapshot
    assert sum(len(row) for _, row in snapshot.rows) <= 25 * 2000


@pytest.fixture
def small_rows(monkeypatch):
    """Twenty rows of two thousand objects."""
    for name, value in (("ROW", 100), ("LARGE_ROW", 150), ("SMALL_ROW", 25)):
        monkeypatch.setattr(packing, name, value)


def test_a_leaf_that_goes_is_not_missed_by_reading_its_neighbours(settled):
    first, second = leaves(settled)[:2]
    for name in settled.run(first.objects, first.objects + second.objects):
        del settled.listing.records[name]
    gone = settled.sweep()
    assert (gone.removed, gone.parsed) == (second.objects, 0)


def test_a_page_is_not_copied_for_the_leaf_that_it_cuts(settled, monkeypatch):
    settled.listing.page_size = 307
    bodies, digested = [], []
    pages, digest = settled.listing.pages, leaf_walk.xxh3_128_digest

    def watched_pages(path: str, *, recursive: bool):
        for page in pages(path, recursive=recursive):
            bodies.append(page.body)
            yield page

    def watched_digest(data: bytes | memoryview) -> bytes:
        digested.append(data)
        return digest(data)

    monkeypatch.setattr(settled.listing, "pages", watched_pages)
    monkeypatch.setattr(leaf_walk, "xxh3_128_digest", watched_digest)
    assert settled.sweep().parsed == 0
    views = [data for data in digested if isinstance(data, memoryview)]
    assert all(any(view.obj is body for body in bodies) for view in views)
    assert sum(len(data) for data in digested if isinstance(data, bytes)) < 6 * 30 * 1000


def test_insertions_between_leaves_do_not_fray_them(settled):
    starts = [leaf.key.removeprefix(b"<Blob><Name>").removesuffix(b"</Name>").decode() for leaf in leaves(settled)]
    for start in starts[1::4]:
        settled.put(f"d/{int(start[2:]) - 1:05}x")
        settled.sweep()
    assert len(leaves(settled)) <= 1.1 * len(starts)


def test_rows_that_lose_most_of_their_objects_are_joined(small_rows):
    world = World(1, page_size=300)
    for number in range(2000):
        world.put(f"d/{number:05}")
    world.sweep(baseline=True)
    assert len(world.rows) >= 14
    for name in world.run(0, None):
        if int(name[2:]) % 20:
            del world.listing.records[name]
    world.sweep()
    assert len(world.rows) <= 4


def test_many_new_objects_are_packed_as_they_come(small_rows, monkeypatch):
    most, gain = [], RowWriter.gain

    def watched(rows: RowWriter, gained) -> None:
        gain(rows, gained)
        most.append(rows._objects)

    monkeypatch.setattr(RowWriter, "gain", watched)
    world = World(1, page_size=50)
    world.put("a")
    world.put("z")
    world.sweep(baseline=True)
    for number in range(2000):
        world.put(f"d/{number:05}")
    world.sweep()
    assert max(most) <= packing.LARGE_ROW + 100


def leaves(world: World) -> list[packing.Leaf]:
    return [leaf for _, row in sorted(world.rows.items()) for leaf in unpack(row)]


class Shown:
    """A datastore that lists these versions in pages of 30, whatever is among them."""

    def __init__(self, *versions: tuple[str, str]) -> None:
        self.records = [xml_record(name, etag) for name, etag in versions]

    def pages(self, path, *, recursive):
        parts = [self.records[start : start + 30] for start in range(0, len(self.records), 30)]
        for part in parts:
            yield read_page(xml_page(part, "" if part is parts[-1] else "more"), has_prefixes=False)


@pytest.mark.parametrize("again", [50, 0, 30, 99])
def test_what_a_listing_shows_twice_has_neither_come_nor_gone(again):
    plain = [(f"a{number:03}", "v1") for number in range(100)]
    twice = [*plain[: again + 1], plain[again], *plain[again + 1 :]]
    name = plain[again][0]
    known = sweep(Shown(*plain), "", True, PackedSnapshot(), baseline=True).snapshot
    for listed in (twice, plain, [*plain, plain[again]], twice, plain):
        found = sweep(Shown(*listed), "", True, known, (name,))
        assert (found.added, found.modified, found.removed, found.gone) == ([], [], 0, [])
        known = found.snapshot


def test_an_object_that_a_listing_shows_before_and_after_it_was_written_was_modified_and_is_still_there():
    plain = [(f"a{number:03}", "v1") for number in range(100)]
    known = sweep(Shown(*plain), "", True, PackedSnapshot(), baseline=True).snapshot
    both = sweep(Shown(*plain, ("a050", "v2")), "", True, known, ("a050",))
    assert ([(one.name, one.etag) for one in both.modified], both.added, both.removed) == ([("a050", "v2")], [], 0)
    plain[50] = ("a050", "v2")
    after = sweep(Shown(*plain), "", True, both.snapshot, ("a050",))
    assert (after.added, after.removed, after.gone) == ([], 0, [])
