"""What the next look would do is told object by object, with what is in its way."""

from __future__ import annotations

from datetime import timedelta

from aml_magics.datastores.base import ObjectInfo
from aml_magics.engine.looks import Pending, Scan
from aml_magics.engine.preview import outlooks
from aml_magics.model.triggers import DatastoreChange

BIG = ObjectInfo("in/big.csv", "1", 2000, 10.0)
SMALL = ObjectInfo("in/small.csv", "1", 10, 10.0)
OTHER = ObjectInfo("in/readme.txt", "1", 2000, 10.0)
OLD = ObjectInfo("in/old.csv", "2", 3000, 10.0)


def change(**options):
    return DatastoreChange(datastore="data", path_on_datastore="in", **options)


def told(scan, trigger, **waiting):
    found = outlooks(scan, {"s": waiting.pop("waiting", {})}, {"s": trigger}, {"s": "nightly"})
    assert {one.schedule for one in found} <= {"nightly"}
    return {one.name.removeprefix("in/"): (one.fires, one.why) for one in found}


def test_each_object_has_the_reason_that_keeps_it_from_firing():
    scan = Scan(begun=100.0, ended=100.0, objects=4, added=[BIG, SMALL, OTHER], modified=[OLD])
    trigger = change(pattern="*.csv", min_size=1000, on=("added",), settle=timedelta(seconds=5))
    assert told(scan, trigger) == {
        "big.csv": (True, "when it has stayed as it is for 5 s"),
        "small.csv": (False, "it is smaller than 1 KB"),
        "readme.txt": (False, "its name does not match *.csv"),
        "old.csv": (False, "only what is added counts"),
    }


def test_what_waits_is_told_with_what_it_waits_for():
    waiting = {
        "in/settled.csv": Pending("added", "1", 90.0, 5),
        "in/restless.csv": Pending("added", "1", 99.0, 5),
        "in/held.csv": Pending("added", "1", 90.0, 5),
        "in/later.csv": Pending("added", "1", 90.0, 5, 130.0),
    }
    scan = Scan(begun=100.0, ended=100.0, objects=4, held=frozenset({"in/held.csv"}))
    assert told(scan, change(settle=timedelta(seconds=5)), waiting=waiting) == {
        "settled.csv": (True, "at the next look"),
        "restless.csv": (True, "when it has stayed as it is for 5 s"),
        "held.csv": (True, "when whoever is writing it has closed it"),
        "later.csv": (True, "carried over: from 1970-01-01 00:02:10 UTC on"),
    }


def test_a_change_of_what_waits_is_what_it_was_first():
    scan = Scan(begun=100.0, ended=100.0, objects=1, modified=[BIG])
    waiting = {"s": {BIG.name: Pending("added", "0", 90.0, 5)}}
    found = outlooks(scan, waiting, {"s": change(on=("added",))}, {})
    assert [(one.change, one.fires, one.size) for one in found] == [("added", True, 2000)]
