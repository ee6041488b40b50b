"""``%aml schedule timeline`` against a real embedded workspace."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from tests.notebook.helpers import HTML_NAME, REACTIVE, shown


def make(aml, name, trigger):
    aml(f"schedule create {name} --pipeline train --experiment E {trigger}")


def test_it_shows_what_ran_what_fires_and_what_fires_together_in_words_and_in_a_picture(aml, train):
    aml("schedule create MyReactiveSchedule", REACTIVE)
    make(aml, "a", "--cron '0 * * * *'")
    make(aml, "b", "--cron '0 */2 * * *'")
    run = aml("pipeline submit train")
    aml("run wait {run}", run=run)
    view = aml("schedule timeline")
    for text in (repr(view), view._repr_html_()):
        assert "Timeline of the last and the next 24 hours" in text
        assert "1 Finished" in text
        assert "MyReactiveSchedule" in text
        assert "a and b" in text
    assert view._repr_html_().count("<img ") == 1
    assert "<svg" not in view._repr_html_()
    assert "<img" not in repr(view)
    assert set(view.next_fires["schedule"]) == {"a", "b"}
    assert len(view.collisions) == 12
    assert view.collisions["minute"].dt.hour.mod(2).eq(0).all()
    assert view.coming == timedelta(hours=24)
    assert view.svg.startswith("<svg ")


def test_days_and_hours_say_how_far(aml, train):
    make(aml, "daily", "--cron '0 6 * * *'")
    assert len(aml("schedule timeline --days 7").next_fires) == 7
    assert "next 2 days" in repr(aml("schedule timeline --days 2"))
    assert "the next hour" in repr(aml("schedule timeline --hours 1"))
    assert len(aml("schedule timeline --hours=1").next_fires) <= 1


def test_times_are_in_the_display_zone(aml, train):
    make(aml, "daily", "--cron '0 6 * * *' --time-zone Asia/Kolkata")
    aml.shell.run_line_magic("config", "AmlMagics.timezone = 'Asia/Kolkata'")
    view = aml("schedule timeline")
    assert ">Asia/Kolkata</text>" in view.svg
    assert view.next_fires["fire"][0].hour == 6
    assert isinstance(view.next_fires.dtypes["fire"], pd.DatetimeTZDtype)


def test_an_empty_workspace_has_an_empty_timeline(aml):
    view = aml("schedule timeline")
    assert "no fires in this time" in repr(view)
    assert "no two schedules fire in the same minute" in repr(view)
    assert len(view.rows) == 0


def test_a_hostile_name_is_text_everywhere(aml, train):
    aml("schedule create {name} --pipeline train --cron '0 6 * * *'", name=HTML_NAME)
    view = aml("schedule timeline")
    assert HTML_NAME not in view._repr_html_()
    assert HTML_NAME in repr(view)
    assert HTML_NAME not in view.svg
    assert "onerror" in shown(view)


def test_many_fires_are_counted_and_the_nearest_are_listed(aml, train):
    make(aml, "busy", f"--every '1 minute' --start-time {datetime(2026, 1, 1).isoformat()}")
    view = aml("schedule timeline --days 7")
    assert len(view.next_fires) == 500
    assert "more fires come after these" in repr(view)
    assert "10 of 500 shown" in repr(view)
