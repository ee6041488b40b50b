"""The table's Python side, with a face that only writes down what it is told."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pandas as pd
import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.notebook.widgets.cells import Action, Cell, Column, Detail
from aml_magics.notebook.widgets.table import Table


class Witness:
    def __init__(self, _table):
        self.told = []

    def tell(self, patch):
        self.told.append(patch)

    def show(self):
        pass

    def close(self):
        self.told.append("closed")


def frame(rows=5):
    return pd.DataFrame(
        {
            "id": [f"id-{at}" for at in range(rows)],
            "name": [f"Name {chr(97 + at * 7 % 26)}" for at in range(rows)],
            "status": ["Active" if at % 2 else "Disabled" for at in range(rows)],
            "runs": list(range(rows)),
        }
    )


def changed(data, place, column, value):
    data = data.copy()
    data.loc[place, column] = value
    return data


def made(data=None, **options):
    return Table(
        frame() if data is None else data,
        key="id",
        columns=[Column("name"), Column("status", kind="status"), Column("runs", kind="number")],
        actions=[Action("disable", "Disable", when=lambda row: row["status"] == "Active")],
        noun="schedule",
        **options,
    )


@pytest.fixture
def table():
    return made()


@pytest.fixture
def told(table):
    return table.face(Witness).told


def test_one_changed_cell_is_one_short_message(table, told):
    table.update(changed(frame(), 1, "runs", 7))
    assert told == [{"v": 1, "cells": [["id-1", 2, "7"]]}]


def test_what_is_the_same_or_out_of_sight_is_not_sent():
    table = made(frame(10_000))
    told = table.face(Witness).told
    table.update(frame(10_000))
    table.update(changed(frame(10_000), 5000, "runs", 7))
    assert told == []


def test_rows_that_come_go_and_move_are_sent_as_keys_and_only_new_ones_whole(table, told):
    table.update(frame(6).iloc[[5, 3, 0]].reset_index(drop=True))
    (patch,) = told
    assert patch["keys"] == ["id-5", "id-3", "id-0"]
    assert list(patch["rows"]) == ["id-5"]
    assert patch["set"] == {"count": 3, "says": "3 schedules"}


def test_an_action_that_no_longer_applies_leaves_its_row(table, told):
    table.update(changed(frame(), 1, "status", "Disabled"))
    (patch,) = told
    assert patch["acts"] == [["id-1", []]]
    assert patch["cells"] == [["id-1", 1, {"t": "Disabled", "i": "off"}]]


def test_a_browser_that_knows_nothing_is_told_the_state_after_all_messages(table, told):
    table.update(changed(frame(), 0, "runs", 9))
    table.filter = "active"
    picture = table.picture()
    assert picture["v"] == told[-1]["v"] == 2
    assert picture["keys"] == ["id-1", "id-3"]


def test_the_frame_is_the_data_shown_in_the_order_shown(table):
    table.sort = ("name", False)
    table.filter = "DIS"
    assert list(table.frame["name"]) == sorted(frame().iloc[[0, 2, 4]]["name"], reverse=True)
    table.update(changed(frame(), 1, "status", "Disabled"))
    assert len(table.frame) == 4


def test_all_words_of_a_filter_have_to_be_there_whatever_their_case(table):
    table.filter = "NAME active 3"
    assert list(table.frame["id"]) == ["id-3"]


def test_values_that_are_missing_are_empty_and_come_last():
    data = pd.DataFrame({"id": ["a", "b", "c"], "name": [None, "x", "y"], "status": "Active", "runs": [1.0, None, 2.0]})
    table = made(data)
    assert table.picture()["rows"]["a"][0][0] == ""
    table.sort = ("name", False)
    assert list(table.frame["id"]) == ["c", "b", "a"]
    table.sort = ("name", True)
    assert list(table.frame["id"]) == ["b", "c", "a"]


def test_values_of_several_kinds_can_still_be_sorted():
    table = made(pd.DataFrame({"id": ["a", "b", "c"], "name": ["x", 3, (1, 2)], "status": "Active", "runs": 0}))
    table.sort = ("name", True)
    assert list(table.frame["id"]) == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (frame().drop(columns="runs"), "no column 'runs'"),
        (pd.concat([frame(), frame()]), "have the key 'id-0'"),
    ],
    ids=["a column is missing", "two rows of one key"],
)
def test_a_frame_that_cannot_be_shown_is_refused_and_nothing_changes(table, told, wrong, message):
    with pytest.raises(InvalidInput, match=message):
        table.update(wrong)
    assert (told, len(table.frame)) == ([], 5)


def test_a_column_that_cannot_be_sorted_by_is_named(table):
    with pytest.raises(InvalidInput, match=r"cannot be sorted by 'nmae'\. Did you mean 'name'"):
        table.sort = ("nmae", True)


def test_a_selection_lasts_over_filters_and_ends_with_its_rows(table):
    table.select(["id-0", "id-3", "gone"])
    table.filter = "active"
    assert list(table.selected["id"]) == ["id-0", "id-3"]
    table.update(frame(2))
    assert table.selected_keys == ["id-0"]


def test_a_range_is_selected_in_the_order_shown(table):
    table.sort = ("runs", False)
    table.receive({"do": "pick", "key": "id-3", "how": "only"})
    table.receive({"do": "pick", "key": "id-1", "how": "range"})
    assert table.selected_keys == ["id-3", "id-2", "id-1"]
    table.receive({"do": "pick", "how": "all"})
    assert len(table.selected) == 5


def test_an_action_is_pending_until_its_future_is_done_and_is_not_begun_twice():
    asked, future = [], Future()
    table = made(on_action=lambda action, key: asked.append((action, key)) or future)
    told = table.face(Witness).told
    for _twice in range(2):
        table.receive({"do": "act", "key": "id-1", "action": "disable", "q": 1})
    assert asked == [("disable", "id-1")]
    assert told[-1]["set"]["busy"] == [["id-1", "disable"]]
    future.set_exception(ValueError("Not done:\n https://a.example/c?sv=1&sig=abc"))
    assert told[-1]["set"] == {"busy": [], "error": "Not done: https://a.example/c?sv=1&sig=***"}


def test_an_action_that_does_not_apply_is_not_carried_out():
    asked = []
    table = made(on_action=lambda action, key: asked.append(key))
    for key in ("id-0", "gone"):
        table.receive({"do": "act", "key": key, "action": "disable"})
    table.receive({"do": "act", "key": "id-1", "action": "delete"})
    assert asked == []


def test_an_action_without_a_future_is_over_when_its_handler_returns(table, told):
    table.receive({"do": "act", "key": "id-1", "action": "disable", "q": 1})
    assert [patch["set"]["busy"] for patch in told] == [[["id-1", "disable"]], []]


def test_python_can_hold_an_action_pending():
    table = made(on_action=lambda action, key: table.pending(key, action))
    table.receive({"do": "act", "key": "id-1", "action": "disable"})
    assert table.picture()["busy"] == [["id-1", "disable"]]
    table.settled("id-1", "disable")
    assert table.picture()["busy"] == []


@pytest.mark.parametrize(
    "message",
    [{}, {"do": "nonsense"}, {"do": "sort", "column": 99}, {"do": "rows", "start": "x"}, {"do": "open"}, {"do": "act"}],
    ids=str,
)
def test_a_message_that_makes_no_sense_breaks_nothing(table, message):
    table.receive(message)
    table.receive({"do": "filter", "text": "active"})
    assert len(table.frame) == 2


def test_a_detail_about_another_row_than_the_open_one_is_dropped():
    opened = []
    table = made(on_open=opened.append)
    table.receive({"do": "open", "key": "id-1"})
    table.detail = Detail("late", key="id-0")
    assert opened == ["id-1"]
    assert table.detail.title == "Name h"
    table.detail = Detail("right", log="a\n", key="id-1")
    table.append_log("b\x1b[0m", key="id-1")
    table.append_log("never", key="id-0")
    assert table.log == "a\nb\\x1b[0m"
    assert table.picture()["log"] == table.log


def test_threads_may_update_at_once_and_no_message_is_lost(table, told):
    def run(name):
        for at in range(20):
            table.update(changed(frame(), 0, "name", f"{name} {at}"))

    threads = [threading.Thread(target=run, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [patch["v"] for patch in told] == list(range(1, len(told) + 1))
    assert told[-1]["cells"][0][2] == table.frame["name"].iloc[0]


def test_a_sparkline_goes_up_for_successes_and_down_for_failures():
    column = Column("recent", kind="drawing", show=lambda values: Cell("2 ok, 1 failed", spark=tuple(values)))
    wire = column.cell([4, None, 2, -1]).wire()
    assert wire == {
        "t": "2 ok, 1 failed",
        "d": [20, 1, [0, 0.5, 4, 10.0, "ok"], [10, 5.5, 4, 5.0, "ok"], [15, 11.5, 4, 4, "bad"]],
    }


def test_a_closed_table_is_silent_and_its_data_stays(table, told):
    table.close()
    table.update(frame(2))
    assert told == ["closed"]
    assert len(table.frame) == 2


def test_whoever_made_a_table_hears_once_that_it_was_closed():
    heard = []
    table = made(on_close=lambda: heard.append("closed"), on_shut=lambda: heard.append("shut"))
    table.receive({"do": "close"})
    for _twice in range(2):
        table.close()
    assert heard == ["shut", "closed"]


def test_a_row_is_called_by_its_name_and_a_new_name_is_sent():
    table = made(named=lambda row: f"{row['name']}, run {row['runs']}", on_open=lambda key: None)
    told = table.face(Witness).told
    assert table.picture()["rows"]["id-1"][2] == "Name h, run 1"
    table.receive({"do": "open", "key": "id-1"})
    assert table.detail.title == "Name h, run 1"
    assert table.snapshot().names[1] == ("Name h, run 1", "id-1")
    table.update(changed(frame(), 1, "runs", 7))
    assert told[-1]["rows"]["id-1"][2] == "Name h, run 7"


def test_rows_whose_first_cells_are_the_same_or_empty_are_told_apart_by_their_keys():
    guid = "3f9c01ab-aaaa-bbbb-cccc-0123456789ab"
    data = frame(4).assign(name=["one", "two", "two", None], id=["a", "b", guid, "d"])
    names = {key: row[2:] for key, row in made(data).picture()["rows"].items()}
    assert names == {"a": [], "b": ["two, b"], guid: ["two, 3f9c01ab"], "d": ["d"]}
