"""The timeline as values: what is drawn where, in which shape, and what no name can do to them."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from aml_magics.model.resources import Run, RunStatus, Schedule, Status
from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence
from aml_magics.notebook.timeline import Ran, Row, as_image, collisions, rows_of, timeline_svg
from aml_magics.notebook.timeline.axis import ticks
from aml_magics.notebook.timeline.marks import merged
from aml_magics.notebook.timeline.texts import cut
from tests.notebook.helpers import HTML_NAME

NOW = datetime(2026, 11, 27, 15, 40, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
SVG = "{http://www.w3.org/2000/svg}"
HTML = "{http://www.w3.org/1999/xhtml}"


def schedule(name, trigger, status=Status.ACTIVE):
    created = NOW - timedelta(days=20)
    return Schedule(
        id=f"id-{name}",
        name=name,
        trigger=trigger,
        pipeline_id="p",
        experiment_name="e",
        created=created,
        status=status,
    )


def cron(expression, zone="UTC"):
    return Cron(expression=expression, time_zone=zone)


def run(status, schedule_id="id-a", start=NOW - timedelta(hours=2), took=timedelta(minutes=1)):
    end = start + took if status.is_final else None
    return Run(
        id="r", experiment_name="e", pipeline_id="p", status=status, schedule_id=schedule_id, started=start, ended=end
    )


def rows(schedules, runs=(), span=DAY, **more):
    return rows_of(schedules, runs, now=NOW, past=span, coming=span, **more)


def drawn(*shown, span=DAY, **more):
    return timeline_svg(shown, now=NOW, past=span, coming=span, **more)


def texts(svg):
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def labels(svg):
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{HTML}div")]


def titles(svg):
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}title")]


def path(svg, kind):
    """The first path of a kind; the legend, which has one of each, comes last."""
    found = [one.get("d", "") for one in ElementTree.fromstring(svg).iter(f"{SVG}path") if one.get("class") == kind]
    return found[0]


def test_a_row_holds_the_minutes_in_which_a_schedule_fires():
    (found,), left_out = rows([schedule("a", cron("0 */6 * * *"))])
    at = [datetime.fromtimestamp(minute * 60, UTC) for minute in found.minutes]
    assert at == [datetime(2026, 11, 27, 18, tzinfo=UTC) + timedelta(hours=6 * index) for index in range(4)]
    assert left_out == 0


@pytest.mark.parametrize("frequency", ["Second", "Minute"])
def test_a_schedule_that_fires_all_the_time_has_a_minute_for_every_minute(frequency):
    (found,), _ = rows([schedule("a", Recurrence(frequency=frequency))], span=WEEK)
    assert len(found.minutes) in (10_080, 10_081)
    assert list(found.minutes) == sorted(set(found.minutes))


def test_rows_come_in_the_order_of_their_next_fire_then_changes_then_what_only_ran():
    made = [
        schedule("late", cron("0 9 * * *")),
        schedule("never", cron("0 0 30 2 *")),
        schedule("off", cron("0 * * * *"), Status.DISABLED),
        schedule("unused", cron("0 * * * *"), Status.DISABLED),
        schedule("change", DatastoreChange(datastore="store", path_on_datastore="in")),
        schedule("soon", cron("0 * * * *")),
    ]
    found, _ = rows(made, [run(RunStatus.FINISHED, "id-off"), run(RunStatus.FINISHED, None)])
    assert [row.name for row in found] == ["soon", "late", "change", "never", "off", "(no schedule)"]
    assert found[2].waits_for == "files added or modified in store/in"
    assert found[4].trigger.startswith("disabled: ")
    assert not found[4].minutes


def test_more_rows_than_can_be_looked_at_are_counted():
    found, left_out = rows([schedule(f"s{index}", cron("0 * * * *")) for index in range(50)], most=12)
    assert (len(found), left_out) == (12, 38)


def test_schedules_collide_when_they_fire_in_the_same_minute_whatever_their_zones_and_seconds():
    start = datetime(2026, 1, 1, 0, 0, 30)
    made = [
        schedule("a", cron("0 6 * * *")),
        schedule("b", Recurrence(frequency="Hour", interval=24, start_time=start.replace(hour=6))),
        schedule("c", cron("30 11 * * *", "Asia/Kolkata")),
        schedule("d", cron("1 6 * * *")),
    ]
    found, _ = rows(made)
    (shared,) = collisions(found)
    assert shared.at == datetime(2026, 11, 28, 6, tzinfo=UTC)
    assert set(shared.names) == {"a", "b", "c"}


def test_past_is_left_of_now_and_coming_right_of_it():
    (row,), _ = rows([schedule("a", cron("40 15 * * *"))], [run(RunStatus.FINISHED, start=NOW - DAY / 2)])
    svg = drawn(row)
    assert path(svg, "done").startswith("M250 ")
    assert path(svg, "now").startswith("M500 ")
    assert path(svg, "fire").startswith("M1000 ")


def shape(status):
    """How high the mark of a status is, which head it has, and whether a long one is filled."""
    svg = drawn(Row(name="a", ran=[Ran(NOW - timedelta(hours=2), NOW, status)]))
    kinds = {"Finished": "done", "Failed": "failed", "Canceled": "canceled", "Running": "running"}
    kind = kinds[status.value]
    heads = [head for head in ("failed-head", "canceled-head") if f'class="{head}"' in svg[: svg.index(">now<")]]
    fill = f".{kind}{{" in svg and "fill:var" in svg.partition(f".{kind}{{")[2].partition("}")[0]
    return int(re.search(r"v(\d+)", path(svg, kind))[1]), heads, fill


def test_every_status_has_a_shape_of_its_own_whatever_its_colour():
    done, failed, canceled, running = (
        shape(RunStatus(status)) for status in ("Finished", "Failed", "Canceled", "Running")
    )
    assert done == (10, [], True)
    assert running == (10, [], False)
    assert failed == (15, ["failed-head"], True)
    assert canceled[:2] == (6, ["canceled-head"])


def test_what_ended_before_the_past_that_is_shown_is_left_out():
    old, reaching = NOW - DAY * 2, NOW - DAY - timedelta(hours=1)
    ran = [run(RunStatus.FINISHED, start=old), run(RunStatus.FINISHED, start=reaching, took=timedelta(hours=2))]
    (row,), _ = rows([schedule("a", cron("0 6 * * *"))], ran)
    assert [one.start for one in row.ran] == [reaching]
    assert path(drawn(row), "done").startswith("M0 ")


def test_a_run_lasts_as_long_as_it_is_drawn_and_one_that_goes_on_reaches_now():
    long = Row(name="a", ran=[Ran(NOW - timedelta(hours=12), NOW - timedelta(hours=6), RunStatus.FINISHED)])
    assert path(drawn(long), "done") == "M250 12v10h125v-10z"
    going = Row(name="a", ran=[Ran(NOW - timedelta(hours=12), None, RunStatus.RUNNING)])
    assert path(drawn(going), "running") == "M250 12v10h250v-10z"


def test_a_schedule_of_every_minute_is_one_band_in_one_path():
    (row,), _ = rows([schedule("a", Recurrence(frequency="Minute"))], span=WEEK)
    assert path(drawn(row, span=WEEK), "fire") == "M500 12v10h500v-10z"


@pytest.mark.parametrize("span", [DAY, WEEK])
def test_a_dozen_schedules_of_any_kind_take_less_than_60_kib(span):
    triggers = [Recurrence(frequency="Second"), cron("*/1 * * * *"), cron("*/15 * * * *"), cron("7 * * * *")]
    made = [schedule(f"{HTML_NAME * 9}{index}", triggers[index % 4]) for index in range(12)]
    # Spread so that neighbours stay apart: the most marks that there can be.
    apart = [NOW - span * index / 170 for index in range(170)]
    statuses = [RunStatus.FINISHED, RunStatus.FAILED, RunStatus.CANCELED]
    ran = [run(statuses[n % 3], one.id, at, timedelta(0)) for one in made for n, at in enumerate(apart)]
    found, _ = rows(made, ran, span)
    svg = drawn(*found, span=span)
    ElementTree.fromstring(svg)
    assert len(svg) < 60 * 1024


def test_collisions_are_marked_and_named():
    found, _ = rows([schedule("a", cron("0 6 * * *")), schedule("b", cron("0 */6 * * *"))])
    svg = drawn(*found)
    assert path(svg, "both").count("M") == 1
    assert path(svg, "across")
    assert "at once" in "".join(texts(svg))
    assert "2026-11-28 06:00 \u2068b and a\u2069" in titles(svg)[-1]
    alone = drawn(found[0])
    assert 'class="both"' not in alone
    assert "at once" not in "".join(texts(alone))


def test_every_row_says_in_words_what_it_draws():
    (row,), _ = rows([schedule("a", cron("0 6 * * *"))], [run(RunStatus.FINISHED), run(RunStatus.FAILED)])
    (title,) = titles(drawn(row, zone=ZoneInfo("Asia/Kolkata")))
    assert "1 done, 1 failed, failed at 2026-11-27 19:10" in title
    assert "fires in 1 minute, next at 2026-11-28 11:30" in title
    assert "(\u2068cron 0 6 * * *\u2069)" in title


NAMES = [
    HTML_NAME,
    "a" * 300,
    "\u202eevil\u202c",
    "جدول يومي",
    "\"&'",
    "\x00\x1b[31m",
    "🚀" * 200,
    "漢字" * 100,
    "{x}\n<b>",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_ever_text_on_one_line_cut_and_isolated(name):
    change = DatastoreChange(datastore="store", path_on_datastore="in<b>\u202e" * 40)
    svg = drawn(*rows([schedule(name, change), schedule(f"{name}2", cron("0 6 * * *"))])[0])
    root = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "style", "g", "title", "path", "rect", "text", "foreignObject", f"{HTML}div"
    }  # fmt: skip
    names = labels(svg)
    assert len(names) == 3
    for text in names:
        assert text.endswith("\u2069")
        assert len(text) <= 82
        assert text.strip("\u2068\u2069").isprintable()
    assert all(text in svg for text in ("<title>", "…"))
    assert {attribute for element in root.iter(f"{HTML}div") for attribute in element.attrib} == {"class", "title"}


def test_a_cut_leaves_room_for_the_ellipsis_and_counts_ideograms_twice():
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
    assert cut("漢字漢", 6) == "漢字漢"
    assert cut("漢字漢字", 6) == "漢字…"


def test_the_axis_has_round_hours_of_the_zone_and_days_where_they_begin_there():
    zone = ZoneInfo("Asia/Kolkata")  # half an hour off the hours of UTC
    found = ticks(NOW - DAY, NOW + DAY, zone)
    assert [tick.label for tick in found if tick.is_day] == ["Fri 27 Nov", "Sat 28 Nov"]
    assert {tick.at.utcoffset() for tick in found} == {timedelta(hours=5.5)}
    assert {tick.at.minute for tick in found} == {0}
    assert 6 <= len(found) <= 14


def test_the_axis_of_two_weeks_has_a_tick_a_day_and_names_every_third_where_it_is_narrow():
    found = ticks(NOW - WEEK, NOW + WEEK, UTC)
    assert [tick.label for tick in found][:2] == ["Sat 21", "Sun 22"]
    assert len(found) == 14
    assert [tick.label for tick in found if not tick.is_minor] == ["Sat 21", "Tue 24", "Fri 27", "Mon 30", "Thu 3"]


def test_a_reading_that_does_not_exist_gets_no_tick():
    zone = ZoneInfo("America/Los_Angeles")  # 2026-03-08: 02:00 is followed by 03:00
    begin = datetime(2026, 3, 7, 22, tzinfo=zone)
    found = ticks(begin, begin + timedelta(hours=8), zone)
    assert [tick.label for tick in found] == [
        "22:00",
        "23:00",
        "Sun 8 Mar",
        "01:00",
        "03:00",
        "04:00",
        "05:00",
        "06:00",
    ][: len(found)]
    assert [tick.at.timestamp() for tick in found] == sorted({tick.at.timestamp() for tick in found})


def test_marks_that_touch_become_one_and_others_stay():
    assert merged([(5, 5), (1, 1), (2, 3), (9, 9)], 2) == [(1, 3), (5, 5), (9, 9)]


def test_it_is_as_wide_as_its_place_with_less_text_where_that_is_narrow():
    (row,), _ = rows([schedule("a name that is long enough to be cut twice", cron("0 6 * * *"))])
    svg = drawn(row, width=1200)
    root = ElementTree.fromstring(svg)
    assert root.get("width") == "100%"
    assert root.get("style") == "max-width:1200px"
    assert "@media (max-width:740px)" in svg
    assert labels(svg) == [f"\u2068{row.name}\u2069"]  # whole: the page cuts it to its place


def test_an_image_holds_the_whole_drawing_and_its_words():
    svg = drawn(Row(name="a"))
    image = as_image(svg, 'Timeline "of" <b>')
    assert 'alt="Timeline &quot;of&quot; &lt;b&gt;"' in image
    assert 'style="width:100%;max-width:1000px"' in image
    assert base64.b64decode(re.search(r"base64,([^\"]+)", image)[1]).decode() == svg
