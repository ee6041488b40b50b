"""The live timeline and its snapshot: what they say, and what goes over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aml_magics.model.resources import RunStatus
from aml_magics.notebook.timeline import live
from aml_magics.notebook.timeline.live import Timeline
from aml_magics.notebook.timeline.snapshot import snapshot_of
from tests.notebook.helpers import HTML_NAME
from tests.notebook.test_timeline import NOW, cron, run, schedule

MINUTE = timedelta(minutes=1)
TWO = [schedule("nightly", cron("0 2 * * *")), schedule("backup", cron("0 2 * * *"))]


def seen(schedules=TWO, runs=(), *, now=NOW, limit=500, zone=UTC):
    return snapshot_of(schedules, runs, limit=limit, now=now, zone=zone)


@pytest.fixture
def timeline():
    """A timeline that is shown; ``sent`` has the names of what each message since then has changed."""
    shown = Timeline(seen())
    widget = shown._widget = live._made()
    shown._tell()
    shown.sent = []
    widget.comm.send = lambda data, **_more: shown.sent.append(set(data["state"]))
    yield shown
    shown.close()


def test_a_snapshot_draws_both_lengths_and_says_what_fires_at_once():
    html = seen().html()
    assert html.count('<img src="data:image/svg+xml;base64,') == 2
    assert "<details><summary>7 days</summary>" in html
    assert "At once: Sat 28 Nov 02:00 backup and nightly" in html
    assert "as of 2026-11-27 15:40 UTC" in html


def test_a_snapshot_as_text_has_a_line_for_each_schedule_in_the_viewers_zone():
    text = seen(runs=[run(RunStatus.FAILED, "id-nightly")], zone=ZoneInfo("Asia/Kolkata")).text()
    assert "as of 2026-11-27 21:10 IST" in text
    assert "nightly   1 failed  1      2026-11-28 07:30" in text
    assert "At once: Sat 28 Nov 07:30 backup and nightly." in text


def test_runs_that_were_not_asked_for_are_said_to_be_missing():
    runs = [run(RunStatus.FINISHED, start=NOW - timedelta(hours=n)) for n in (1, 2, 3)]
    for one, hours in zip(runs, (1, 2, 3), strict=True):
        object.__setattr__(one, "created", NOW - timedelta(hours=hours))
    assert seen(runs=runs, limit=4).short.notes(UTC) == []
    assert seen(runs=runs, limit=3).short.notes(UTC) == ["Of the runs, those since 2026-11-27 12:40 are shown."]


def test_nothing_to_draw_is_said_in_words():
    empty = seen(schedules=())
    assert "No schedule fires, and nothing ran." in empty.html()
    assert "No schedule fires, and nothing ran." in empty.text()
    assert "<img" not in empty.html()


def test_a_hostile_name_is_text_in_the_snapshot_and_in_the_drawing():
    hostile = seen(schedules=[schedule(HTML_NAME, cron("0 2 * * *"))])
    assert HTML_NAME not in hostile.html()
    assert HTML_NAME not in hostile.short.svg(UTC)


def test_an_update_is_one_message_with_what_has_changed(timeline):
    timeline.update(seen(schedules=[*TWO, schedule("weekly", cron("0 3 * * 1"))]))
    assert timeline.sent == [{"short", "long"}]


def test_the_same_again_sends_nothing(timeline):
    timeline.update(seen())
    assert timeline.sent == []


def test_it_is_stale_after_a_minute_and_not_before():
    timeline = Timeline(seen())
    assert not timeline.is_stale(NOW + MINUTE / 2)
    assert timeline.is_stale(NOW + MINUTE)


def test_what_ends_it_is_said_and_the_drawings_stay(timeline):
    timeline.leave("the workspace was closed")
    assert timeline.sent == [{"footer"}]
    assert timeline._widget.footer == "the workspace was closed; this is as of 2026-11-27 15:40 UTC"


def test_without_anywidget_the_snapshot_is_what_is_live(monkeypatch):
    def missing():
        raise ImportError("anywidget")

    monkeypatch.setattr(live, "_live_kind", missing)
    timeline = Timeline(seen())
    timeline._widget = live._made()
    try:
        timeline.update(seen(now=datetime(2026, 11, 27, 16, tzinfo=UTC)))
        assert "as of 2026-11-27 16:00 UTC" in timeline._widget.value
    finally:
        timeline.close()
