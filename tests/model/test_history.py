"""The answer to "did it fire, and if not, why?", in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from aml_magics.model.history import Health, History, instant_text
from aml_magics.model.resources import Fire, Outcome, Poll

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AT_NINE = "2026-03-02 09:00:00 UTC"


def fire(outcome: Outcome = Outcome.SUBMITTED, detail: str = "") -> Fire:
    return Fire(key="k", schedule_id="s", reason="clock", decided=NINE, outcome=outcome, detail=detail)


def poll(error: str = "") -> Poll:
    return Poll(at=NINE, took=timedelta(seconds=0.1), objects=3, error=error)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"active": True}, "has not fired; no fire to come"),
        ({"active": False}, "has not fired; not active"),
        ({"active": True, "next_due": NINE}, "has not fired; next at 2026-03-02 09:00:00 UTC"),
        (
            {"active": True, "fires": (fire(),), "submitted": 1, "next_due": NINE},
            "fired 1 time, last at 2026-03-02 09:00:00 UTC; next at 2026-03-02 09:00:00 UTC",
        ),
        ({"active": True, "submitted": 1200}, "fired 1,200 times; no fire to come"),
        (
            {
                "active": True,
                "fires": (fire(Outcome.MISSED, "8 fire times missed"), fire()),
                "submitted": 2,
                "missed": 1,
            },
            "fired 2 times, last at 2026-03-02 09:00:00 UTC; 8 fire times missed; no fire to come",
        ),
        (
            {"active": True, "fires": (fire(Outcome.REFUSED, "the pipeline is disabled"),), "refused": 1},
            "has not fired; refused 1 time, last at 2026-03-02 09:00:00 UTC: the pipeline is disabled; no fire to come",
        ),
        (
            {
                "active": True,
                "since": NINE,
                "looks": 12,
                "added": 3,
                "waiting": ("a", "b"),
                "fires": (fire(),),
                "submitted": 1,
            },
            f"looked 12 times since {AT_NINE}, saw 3 new files, 2 not settled yet; fired 1 time, last at {AT_NINE}",
        ),
        (
            {"active": True, "since": NINE, "looks": 1, "added": 1, "modified": 1},
            "looked 1 time since 2026-03-02 09:00:00 UTC, saw 1 new file and 1 modified file; has not fired",
        ),
        (
            {"active": True, "since": NINE, "looks": 12, "added": 3, "condition": "*.csv"},
            f"looked 12 times since {AT_NINE}, saw 3 new files, none matched *.csv; has not fired",
        ),
        (
            {
                "active": True,
                "since": NINE,
                "looks": 2,
                "added": 1200,
                "modified": 1,
                "removed": 2,
                "matched": 1100,
                "condition": "*.csv, at least 10 KB",
                "waiting": ("a",),
                "carried": 1099,
            },
            (
                f"looked 2 times since {AT_NINE}, saw 1,200 new files, 1 modified file and 2 removed files,"
                " 1,100 matched *.csv, at least 10 KB, 1 not settled yet, 1,099 carried over to the next poll;"
                " has not fired"
            ),
        ),
        (
            {"active": True, "since": NINE, "looks": 2, "condition": "*.csv"},
            f"looked 2 times since {AT_NINE}, saw no change; has not fired",
        ),
        (
            {"active": True, "since": NINE, "looks": 4, "failed": 3, "polls": (poll("no such account"), poll("x"))},
            f"looked 4 times since {AT_NINE}, saw no change, failed 3 times, last: no such account; has not fired",
        ),
        (
            {"active": True, "since": NINE, "looks": 4, "failed": 1, "polls": (poll(), poll("no such account"))},
            (
                f"looked 4 times since {AT_NINE}, saw no change, failed 1 time, last at {AT_NINE}: no such account;"
                " has not fired"
            ),
        ),
        (
            {"active": True, "since": NINE, "looks": 90, "failed": 2, "polls": (poll(),)},
            f"looked 90 times since {AT_NINE}, saw no change, failed 2 times; has not fired",
        ),
    ],
)
def test_a_history_says_what_happened_and_why_nothing_did(fields, words):
    assert History(schedule_id="s", **fields).in_words() == words


def test_times_are_in_the_zone_that_was_asked_for_and_say_so():
    history = History(schedule_id="s", active=True, next_due=NINE)
    assert history.in_words(ZoneInfo("Asia/Tokyo")) == "has not fired; next at 2026-03-02 18:00:00 Asia/Tokyo"
    assert instant_text(NINE) == "2026-03-02 09:00:00 UTC"


def test_the_last_poll_error_is_empty_while_all_is_well():
    assert Health().last_poll_error == ""
    assert Health(poll_errors=("data/a: gone", "data/b: locked")).last_poll_error == "data/b: locked"
