"""When a panel looks again: by an injected clock, with a stand-in for the panel and for the client."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from aml_magics.model.glance import Glance
from aml_magics.model.history import Health
from aml_magics.notebook.panels.live import DUTY, LEAST, LONGEST, Pace, footer, keep_fresh
from tests.support.clock import FakeClock

HERE = Pace(LEAST, glances=True)


class Client:
    """A workspace to which something is written ``rate`` times a second."""

    def __init__(self, clock: FakeClock, rate: float) -> None:
        self.clock, self.rate, self.glances = clock, rate, 0

    async def glance(self) -> Glance:
        self.glances += 1
        return Glance(version=str(int(self.clock.now() * self.rate)), health=Health())


class Panel:
    """Records what it is told, with the time of each."""

    def __init__(self, clock: FakeClock, *, takes: float = 0.0) -> None:
        self.clock, self.takes = clock, takes
        self.is_closed = self.has_left = False
        self.renewals: list[float] = []
        self.errors: list[Exception] = []
        self.error: Exception | None = None
        self.version = ""

    def wants(self, glance):
        is_new = glance is None or glance.version != self.version
        self.version = "" if glance is None else glance.version
        return is_new

    async def renew(self, _client):
        if self.error is not None:
            raise self.error
        self.renewals.append(self.clock.now())
        if self.takes:
            await self.clock.sleep(self.takes)

    def tick(self, _glance):
        pass

    def fail(self, error):
        self.errors.append(error)

    def leave(self):
        self.has_left = True


def watched(panel, client, clock, seconds, pace=HERE, after=None):
    """Keep a panel fresh for a while, then take the loop away; whether the task had ended by itself."""

    async def live() -> bool:
        task = asyncio.create_task(keep_fresh(lambda: panel, client, clock, pace))
        await clock.pass_time(seconds)
        if after is not None:
            after()
            await clock.pass_time(LONGEST)
        ended = task.done()
        task.cancel()
        await asyncio.wait([task])
        return ended

    return asyncio.run(live())


def test_a_thousand_changes_a_second_make_at_most_two_updates(clock):
    panel = Panel(clock)
    watched(panel, Client(clock, rate=1000), clock, 10)
    gaps = [later - earlier for earlier, later in zip(panel.renewals, panel.renewals[1:], strict=False)]
    assert len(panel.renewals) == 21  # at once, and then twice a second
    assert min(gaps) >= LEAST


def test_nothing_new_is_looked_at_once(clock):
    panel, client = Panel(clock), Client(clock, rate=0)
    watched(panel, client, clock, 60)
    assert len(panel.renewals) == 1
    assert client.glances > 100


def test_a_change_is_shown_within_half_a_second(clock):
    panel = Panel(clock)
    watched(panel, Client(clock, rate=0.1), clock, 60)
    assert 6 <= len(panel.renewals) <= 7


def test_looking_takes_no_more_than_its_share_of_the_time(clock):
    panel = Panel(clock, takes=1.0)
    watched(panel, Client(clock, rate=1000), clock, 111)
    assert len(panel.renewals) == pytest.approx(111 / (1.0 + 1.0 / DUTY), abs=1)


def test_a_workspace_without_glances_is_looked_at_again_and_again(clock):
    panel, client = Panel(clock), Client(clock, rate=0)
    watched(panel, client, clock, 60, Pace(5.0, glances=False))
    assert 12 <= len(panel.renewals) <= 13
    assert client.glances == 0


def test_what_fails_is_said_and_tried_again_later(clock):
    panel = Panel(clock)
    panel.error = OSError("no route")

    def mend():
        panel.error = None

    watched(panel, Client(clock, rate=1000), clock, 20, after=mend)
    assert 3 <= len(panel.errors) <= 6
    assert panel.renewals


def test_the_task_ends_with_the_panel(clock):
    found = [Panel(clock)]

    async def live() -> None:
        task = asyncio.create_task(keep_fresh(lambda: found[0] if found else None, Client(clock, 0), clock, HERE))
        await clock.pass_time(2)
        assert not task.done()
        found.clear()
        await clock.pass_time(2)
        assert task.done()

    asyncio.run(live())


def test_the_task_ends_when_the_panel_is_closed(clock):
    panel = Panel(clock)

    def close():
        panel.is_closed = True

    assert watched(panel, Client(clock, rate=1000), clock, 5, after=close)
    assert not panel.has_left


def test_the_end_of_the_loop_is_said(clock):
    panel = Panel(clock)
    assert not watched(panel, Client(clock, rate=1000), clock, 5)
    assert panel.has_left


NOW = datetime(2026, 3, 2, 12, 0, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("health", "text"),
    [
        (None, "as of 12:00:03 UTC"),
        (Health(), "as of 12:00:03 UTC; engine ok"),
        (
            Health(last_look=NOW.replace(second=1), lateness_p50_ms=10.0),
            "as of 12:00:03 UTC; engine ok, last look 2 s ago, late 0.01 s",
        ),
        (
            Health(poll_errors=("data/in: locked", "b/c: no"), last_look=NOW),
            "as of 12:00:03 UTC; trouble with data/in: locked and 1 more, last look 0 s ago",
        ),
    ],
)
def test_the_footer_says_as_of_when_and_how_the_engine_is(health, text):
    assert footer(NOW.timestamp(), NOW.timestamp(), health, UTC) == text
