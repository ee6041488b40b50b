"""What the filter of a large table finds, how little it looks at again, and whom it keeps waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from aml_magics.notebook.widgets import rows as rows_module
from aml_magics.notebook.widgets import search
from aml_magics.notebook.widgets.cells import Column
from aml_magics.notebook.widgets.table import Table

ROWS = 600


class Shown:
    """Shows a value, slowly or not, and counts."""

    def __init__(self):
        self.count = 0

    def __call__(self, value):
        self.count += 1
        return f"<{value}>"


@pytest.fixture
def shown():
    return Shown()


@pytest.fixture
def impatient(monkeypatch):
    """Whatever has to be shown for a search keeps a person waiting."""
    monkeypatch.setattr(search, "_AT_ONCE", 0)


def frame(rows=ROWS):
    return pd.DataFrame(
        {"id": [f"id-{at}" for at in range(rows)], "name": [f"name-{at}" for at in range(rows)], "runs": range(rows)}
    )


def changed(data, place, column, value):
    data = data.copy()
    data.loc[place, column] = value
    return data


def made(shown, data=None):
    return Table(frame() if data is None else data, key="id", columns=[Column("name"), Column("runs", show=shown)])


def until(is_so):
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_what_is_found_at_once_is_shown_while_the_rest_is_still_searched(shown, impatient):
    table = made(shown)
    with table._lock:
        table.receive({"do": "filter", "text": "7"})
        by_name = sum("7" in f"name-{at}" for at in range(ROWS))
        assert table.picture()["says"] == f"{by_name} of 600 rows, still searching"
    table.receive({"do": "filter", "text": "<7"})
    until(lambda: "searching" not in table.picture()["says"])
    assert table.picture()["says"] == f"{sum(str(at).startswith('7') for at in range(ROWS))} of 600 rows"


def test_python_is_never_given_less_than_all_that_is_found(shown, impatient):
    table = made(shown)
    table.filter = "<59"
    assert list(table.frame["runs"]) == [59, *range(590, 600)]
    with table._lock:
        table.update(frame(ROWS + 5))
        assert "searching" in table.picture()["says"]
    assert len(table.frame) == 11


def test_a_frame_that_comes_amid_a_search_is_searched_as_a_whole(shown, impatient):
    table = made(shown)
    with table._lock:
        table.receive({"do": "filter", "text": "<59"})
        table.update(frame(ROWS + 5))
        assert len(table.frame) == 11
    until(lambda: not table._is_searching)


def test_a_closed_table_searches_no_more(shown, impatient):
    table = made(shown)
    with table._lock:
        table.receive({"do": "filter", "text": "<7"})
        table.close()
        before = shown.count
    until(lambda: not table._is_searching)
    assert shown.count == before


def test_what_a_panels_function_raises_in_a_search_is_shown(impatient):
    def show(value):
        if value == ROWS - 1:
            message = "no such run"
            raise LookupError(message)
        return str(value)

    table = made(show)
    table.receive({"do": "filter", "text": "5"})
    until(lambda: table.error)
    assert table.error == "no such run"
    until(lambda: not table._is_searching)


def test_a_search_makes_each_text_once_however_often_the_frame_comes(shown):
    table = made(shown)
    table.filter = "<59"
    after_the_first = shown.count
    table.filter = "<58"
    table.update(frame())
    table.update(changed(frame(), 500, "name", "another"))
    table.update(frame().iloc[::-1])
    assert shown.count - after_the_first < 60  # the rows in sight
    before = shown.count
    table.update(changed(frame().iloc[::-1], 300, "runs", 5800))
    assert shown.count - before < 60
    assert sorted(table.frame["runs"]) == [58, *range(580, 590), 5800]


def test_rows_in_sight_are_made_once_for_values_that_look_the_same(shown):
    table = made(shown)
    before = shown.count
    for at in range(5):
        table.update(changed(frame(), 3, "name", f"other {at}"))
    assert shown.count == before
    assert table.picture()["rows"]["id-3"][0] == ["other 4", "<3>"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (pd.Series([1, 0], dtype=object), pd.Series([True, 0], dtype=object)),
        (pd.Series([1, 0]), pd.Series([1.0, 0.0])),
        (
            pd.Series([datetime(2026, 11, 27, tzinfo=UTC)] * 2),
            pd.Series([datetime(2026, 11, 27, tzinfo=UTC)] * 2).dt.tz_convert("Asia/Tokyo"),
        ),
        (
            pd.Series([datetime(2026, 11, 27, tzinfo=UTC), 1], dtype=object),
            pd.Series([datetime(2026, 11, 27, 9, tzinfo=ZoneInfo("Asia/Tokyo")), 1], dtype=object),
        ),
        (pd.Series([[1], [2]]), pd.Series([[3], [2]])),
        (pd.Series([{"a": 1}, 2], dtype=object), pd.Series([{"a": 3}, 2], dtype=object)),
    ],
    ids=["True for 1", "floats", "another zone", "another zone, in objects", "a list", "a mapping"],
)
def test_values_that_are_equal_and_look_different_are_shown_anew(before, after):
    data = pd.DataFrame({"id": ["a", "b"], "value": before})
    table = Table(data, key="id", columns=[Column("value", show=repr)])
    table.update(data.assign(value=after))
    assert table.picture()["rows"]["a"][0] == [repr(after.to_list()[0])]


def test_a_list_that_was_changed_in_place_is_shown_anew():
    recent = [[1], [2]]
    data = pd.DataFrame({"id": ["a", "b"], "recent": recent})
    table = Table(data, key="id", columns=[Column("recent", show=str)])
    recent[0].append(9)
    table.update(data)
    assert table.picture()["rows"]["a"][0] == ["[1, 9]"]


def test_a_sort_is_worked_out_again_only_when_its_column_has_changed(shown, monkeypatch):
    sorts = []
    original = rows_module._sort
    monkeypatch.setattr(rows_module, "_sort", lambda *arguments: sorts.append(1) or original(*arguments))
    table = made(shown)
    table.sort = ("runs", False)
    table.update(changed(frame(), 3, "name", "another"))
    table.filter = "another"
    assert len(sorts) == 1
    table.filter = ""
    table.update(changed(frame(), 3, "runs", 9000))
    assert len(sorts) == 2
    assert list(table.frame["runs"][:2]) == [9000, 599]


def values(random):
    """Columns of every kind that frames have, with missing values, repeated, and values that have no hash."""
    start = datetime(2026, 11, 27, tzinfo=UTC)
    count = random.randrange(1, 40)
    return {
        "text": [random.choice(["Alpha", "beta", "ÄRGER", None, "a b"]) for _ in range(count)],
        "number": [random.choice([1, 2.5, None, 1000]) for _ in range(count)],
        "instant": pd.Series([start + timedelta(minutes=random.randrange(9)) for _ in range(count)]),
        "list": [[random.randrange(3)] for _ in range(count)],
        "mixed": [random.choice(["x", 7, (1, 2), None]) for _ in range(count)],
    }


def test_a_table_that_lives_finds_what_a_new_one_finds():
    random = Random(7)
    columns = [Column(name, show=None if name == "text" else str) for name in values(random)]
    table = None
    for _time in range(60):
        data = pd.DataFrame(values(random))
        data.insert(0, "id", [f"id-{at}" for at in range(len(data))])
        if table is None:
            table = Table(data, key="id", columns=columns)
        table.update(data)
        table.filter = random.choice(["a", "ärger", "1", "7 x", "00:05", "[2]", "nothing", ""])
        words = table.filter.split()
        texts = [[column.cell(row[column.name]).text.casefold() for column in columns] for _, row in data.iterrows()]
        wanted = [
            key for key, row in zip(data["id"], texts, strict=True) if all(any(w in t for t in row) for w in words)
        ]
        assert list(table.frame["id"]) == wanted
