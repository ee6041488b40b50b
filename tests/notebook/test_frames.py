from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from IPython.lib.pretty import pretty

from aml_magics.notebook.frames import Table, build
from aml_magics.notebook.present import cell, escape, printable
from aml_magics.notebook.views import Text, View

COLUMNS = {"name": "string", "count": "Int64", "seconds": "Float64", "on": "boolean", "at": "instant"}
AT = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
ROW = {"name": "train", "count": 3, "seconds": 1.5, "on": True, "at": AT}
NASTY = '<img src=x onerror="alert(1)">&\x1b[31m\u202e\n'
SAO_PAULO = ZoneInfo("America/Sao_Paulo")


def table(rows, **options):
    return build(COLUMNS, rows, zone=options.pop("zone", ZoneInfo("UTC")), **options)


def dtypes(frame):
    return [str(dtype) for dtype in frame.dtypes]


@pytest.mark.parametrize("rows", [[], [ROW], [{}], [ROW, {"name": None}]])
def test_columns_and_dtypes_are_the_same_whatever_is_in_the_table(rows):
    frame = table(rows)
    assert list(frame.columns) == list(COLUMNS)
    assert dtypes(frame) == ["string", "Int64", "Float64", "boolean", "datetime64[us, UTC]"]
    assert len(frame) == len(rows)


def test_instants_are_in_the_display_zone_and_show_their_offset():
    frame = table([ROW], zone=SAO_PAULO)
    assert frame["at"][0] == pd.Timestamp(AT)
    assert "2026-11-01 05:30:00-03:00" in repr(frame)
    assert str(frame["at"].dtype) == "datetime64[us, America/Sao_Paulo]"


def test_a_table_is_a_dataframe_and_what_is_computed_from_it_is_a_plain_one():
    frame = table([ROW, {**ROW, "name": "score", "count": None}], notes=["3 left out"], limit=1)
    assert isinstance(frame, pd.DataFrame)
    assert type(frame[frame["count"] > 1]) is pd.DataFrame
    assert type(frame.sort_values("name")) is pd.DataFrame
    assert type(frame.head(1)) is pd.DataFrame
    assert type(frame.copy()) is pd.DataFrame
    assert "left out" not in repr(frame.head(1))
    assert frame["count"].sum() == 3
    assert list(frame.groupby("name").size()) == [1, 1]
    assert len(pd.concat([frame, frame])) == 4
    assert len(frame.merge(frame, on="name")) == 2


def test_the_limit_shortens_what_is_shown_and_says_so_and_the_data_is_complete():
    frame = table([{**ROW, "name": f"n{index}"} for index in range(213)], limit=10)
    assert len(frame) == 213
    assert "10 of 213 shown" in repr(frame)
    assert "10 of 213 shown" in frame._repr_html_()
    assert "n9" in repr(frame)
    assert "n10" not in repr(frame)
    assert frame._repr_html_().count("<tr>") == 11


@pytest.mark.parametrize("limit", [0, 213, 500])
def test_a_limit_that_holds_all_says_nothing(limit):
    assert "shown" not in repr(table([ROW] * 213, limit=limit))


def test_missing_values_are_empty_in_what_is_shown():
    shown = repr(table([{}])) + table([{}])._repr_html_()
    for word in ("NaN", "NaT", "<NA>", "&lt;NA", "None"):
        assert word not in shown


def test_an_empty_table_says_what_there_is_none_of():
    frame = table([], caption="Schedules", empty="no schedules", notes=["2 disabled schedules left out."])
    for shown in (repr(frame), frame._repr_html_()):
        assert "Schedules" in shown
        assert "no schedules" in shown
        assert "2 disabled" in shown


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def nasty_view():
    inner = table([{"name": NASTY}], caption=NASTY, notes=[NASTY], empty=NASTY)
    return View(NASTY, fields=[(NASTY, NASTY)], sections={"inner": inner}, notes=[NASTY])


@pytest.mark.parametrize(
    "shown",
    [
        lambda: table([{"name": NASTY}], caption=NASTY, notes=[NASTY])._repr_html_(),
        lambda: table([], empty=NASTY)._repr_html_(),
        lambda: nasty_view()._repr_html_(),
    ],
)
def test_html_is_always_escaped(shown):
    found = Tags(shown())
    assert "img" not in found.tags
    assert "onerror" in found.text
    assert "\x1b" not in found.text


def test_text_cannot_steer_a_terminal():
    for shown in (repr(nasty_view()), repr(table([{"name": NASTY}], caption=NASTY.strip()))):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "\\x1b" in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é 🚀", "plain é 🚀"),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("\x1b[0m", "\\x1b[0m"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_draws_nothing_is_shown_as_its_escape(text, expected):
    assert printable(text) == expected
    assert escape(text).encode()


def test_a_long_text_is_cut_in_a_table_and_whole_in_the_data():
    text = "x" * 500
    frame = table([{"name": text}])
    assert frame["name"][0] == text
    assert "…" in repr(frame)
    assert len(cell(text)) == 80


def test_a_table_has_a_caption_and_headers_for_screen_readers():
    tags = Tags(table([ROW], caption="Runs")._repr_html_()).tags
    assert "caption" in tags
    assert tags.count("th") == len(COLUMNS)
    assert 'scope="col"' in table([ROW])._repr_html_()


def test_notes_can_be_added_later():
    frame = table([ROW], notes=["first"])
    frame.add_notes(["second"])
    assert frame.notes == ("first", "second")


def test_a_table_survives_copying_and_pickling():
    frame = table([ROW], caption="Runs", notes=["note"])
    for other in (pickle.loads(pickle.dumps(frame)), copy.deepcopy(frame)):
        pd.testing.assert_frame_equal(pd.DataFrame(other), pd.DataFrame(frame))
    assert isinstance(pickle.loads(pickle.dumps(frame)), Table)


class Value:
    _repr_latex_ = "not the view's"
    id = "1"
    name = "train"
    steps = ("a",)


def test_a_view_hands_out_its_sections_and_the_attributes_of_its_value():
    view = View("Pipeline", value=Value(), sections={"steps": table([ROW])})
    assert (view.id, view.name) == ("1", "train")
    assert isinstance(view.steps, Table)
    assert {"id", "steps", "sections"} <= set(dir(view))
    with pytest.raises(AttributeError):
        view.nothing  # noqa: B018
    assert not hasattr(view, "_repr_latex_")
    assert copy.copy(view).id == "1"


def test_a_view_says_the_same_as_text_and_as_html():
    view = View("Run", fields=[("status", "Failed"), ("empty", "")], sections={"s": table([ROW])}, notes=["look"])
    shown = Tags(view._repr_html_()).text
    for word in ("Run", "status", "Failed", "train", "look"):
        assert word in repr(view)
        assert word in shown
    assert "empty" not in repr(view) + shown


def test_text_is_a_str_that_shows_itself(shell, capsys):
    text = Text("two\nlines \x1b")
    text.add_notes(["and a note"])
    assert text == "two\nlines \x1b"
    shell.user_ns["text"] = text
    shell.run_cell("text", store_history=False)
    said = capsys.readouterr().out
    assert "two\nlines \\x1b\nand a note" in said


@pytest.mark.parametrize("long", ["".join(f"line {n}\n" for n in range(400_000)), "x" * 5_000_000])
def test_of_a_very_long_text_the_end_is_shown_and_the_value_is_whole(long):
    text = Text(long)
    text.add_notes(["a note"])
    first, *rest = pretty(text).splitlines()
    assert text == long
    assert len(pretty(text)) < 110_000
    assert f"{len(long):,} characters" in first
    assert rest[-2:] == [long.splitlines()[-1][-100_000:], "a note"]
    assert all(line in ("a note", long[-100_000:]) or line.startswith("line ") for line in rest)


def test_a_table_in_a_narrow_notebook_keeps_short_cells_on_one_line_and_breaks_long_ones():
    html = table([{"name": "2026-11-27 06:22:40+00:00"}, {"name": "word " * 15}])._repr_html_()
    assert 'nowrap">2026-11-27 06:22:40+00:00</td>' in html
    assert 'nowrap">word' not in html
    fields = View("Pipeline", fields=[("on a failed step", "stop"), ("endpoint", "http://" + "x" * 200)])._repr_html_()
    assert 'nowrap">on a failed step</th>' in fields
    assert 'overflow-wrap:anywhere">http://xxx' in fields
