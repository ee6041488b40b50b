"""What a schedule has done and what it saw, and how an engine is: the answers to "did it fire, and if not, why?".

A history lists the newest fires and polls, as many as were asked for, and counts all of them: ``submitted``,
``missed`` and ``refused`` count fires (one missed row may stand for many instants, its detail says how many),
``looks``, ``added``, ``modified``, ``removed``, ``matched`` and ``failed`` count the polls that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from aml_magics.model.resources import Fire, Outcome, Poll
from aml_magics.model.words import listed

__all__ = ["Health", "History", "instant_text"]


def instant_text(instant: datetime, zone: tzinfo = UTC) -> str:
    """``2026-11-23 10:00:00 UTC``: an aware datetime for people, always with its zone."""
    local = instant.astimezone(zone)
    name = getattr(zone, "key", None) or local.tzname() or ""
    return f"{local:%Y-%m-%d %H:%M:%S} {name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Fires and polls of one schedule, newest first.

    ``since`` is when a kernel began to look for it (change triggers only), ``condition`` what changes must be like to
    count, if not all do, ``waiting`` names the changed objects that have not settled, ``carried`` counts those that
    wait for their turn. ``next_due`` is the next fire of a time trigger, ``active`` whether the engine has the
    schedule at all.
    """

    schedule_id: str
    active: bool
    fires: tuple[Fire, ...] = ()
    polls: tuple[Poll, ...] = ()
    submitted: int = 0
    missed: int = 0
    refused: int = 0
    looks: int = 0
    added: int = 0
    modified: int = 0
    removed: int = 0
    matched: int = 0
    failed: int = 0
    carried: int = 0
    condition: str = ""
    waiting: tuple[str, ...] = ()
    since: datetime | None = None
    next_due: datetime | None = None

    def in_words(self, zone: tzinfo = UTC) -> str:
        """``looked 12 times since ..., saw 3 new files, none matched *.csv; has not fired``; times in ``zone``."""
        parts = [self._looked(zone)] if self.since is not None else []
        parts.append(self._fired(zone))
        refused = self._newest(Outcome.REFUSED)
        if refused is not None:
            at = instant_text(refused.decided, zone)
            parts.append(f"refused {_times(self.refused)}, last at {at}: {refused.detail}")
        missed = self._newest(Outcome.MISSED)
        if missed is not None:
            parts.append(missed.detail)
        elif self.missed:  # too long ago for the fires that were asked for
            parts.append(f"{_count(self.missed, 'earlier stretch')} of fire times missed while no kernel was there")
        if not self.active:
            parts.append("not active")
        elif self.next_due is not None:
            parts.append(f"next at {instant_text(self.next_due, zone)}")
        elif self.since is None:
            parts.append("no fire to come")
        return "; ".join(parts)

    def _looked(self, zone: tzinfo) -> str:
        since = instant_text(self.since, zone) if self.since is not None else ""
        seen = [
            _count(number, f"{kind} file")
            for kind, number in (("new", self.added), ("modified", self.modified), ("removed", self.removed))
            if number
        ]
        parts = [f"looked {_times(self.looks)} since {since}", f"saw {listed(seen) or 'no change'}"]
        if seen and self.condition:
            parts.append(f"{f'{self.matched:,}' if self.matched else 'none'} matched {self.condition}")
        if self.waiting:
            parts.append(f"{len(self.waiting):,} not settled yet")
        if self.carried:
            parts.append(f"{self.carried:,} carried over to the next poll")
        return ", ".join([*parts, *self._failures(zone)])

    def _failures(self, zone: tzinfo) -> list[str]:
        if not self.failed:
            return []
        last = next((poll for poll in self.polls if poll.error), None)
        if last is None:  # too long ago for the polls that were asked for
            return [f"failed {_times(self.failed)}"]
        when = "" if last is self.polls[0] else f" at {instant_text(last.at, zone)}"
        return [f"failed {_times(self.failed)}, last{when}: {last.error}"]

    def _fired(self, zone: tzinfo) -> str:
        last = self._newest(Outcome.SUBMITTED)
        if not self.submitted:
            return "has not fired"
        return f"fired {_times(self.submitted)}" + (f", last at {instant_text(last.decided, zone)}" if last else "")

    def _newest(self, outcome: Outcome) -> Fire | None:
        return next((fire for fire in self.fires if fire.outcome == outcome), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How an engine is. ``lateness`` is from due to committed over the newest fires, ``None`` before the first.

    ``last_look`` is when the newest look at a datastore ended. ``poll_errors`` names every place that cannot be looked
    at now and why, ``wakeup_errors`` every place that is only looked at by its polling interval, ``errors`` the newest
    unexpected errors. ``owners`` counts the living kernels on the file.
    """

    started: datetime | None = None
    schedules: int = 0
    locations: int = 0
    owners: int = 0
    lateness_p50_ms: float | None = None
    lateness_p99_ms: float | None = None
    last_look: datetime | None = None
    poll_errors: tuple[str, ...] = ()
    wakeup_errors: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()

    @property
    def last_poll_error(self) -> str:
        return self.poll_errors[-1] if self.poll_errors else ""


def _count(number: int, what: str) -> str:
    plural = "es" if what.endswith("h") else "s"
    return f"{number:,} {what}{'' if number == 1 else plural}"


def _times(number: int) -> str:
    return _count(number, "time")
