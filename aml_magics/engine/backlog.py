"""What becomes of the instants of a time schedule that are due: which are fired, which are recorded as missed.

An instant is on time when it is at most ``GRACE`` seconds old when it is first seen. Of several that are due together
only the newest can be on time; the older ones, and the newest when it too is late, are missed, and the schedule says
what becomes of those: one row that counts them (``skip``), one run (``once``), or a run each (``all``, the newest
1,000).

The work is bounded: a schedule of every second that slept for a year has 31 million instants, and the kernel must
not. So at most ``LIMIT`` are counted one by one ("more than 1,000"), and the newest are found by looking back from
now in growing strides.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from hashlib import sha1
from typing import NamedTuple

from aml_magics.engine.host import Watch
from aml_magics.model.history import instant_text
from aml_magics.model.resources import Fire, Missed, Outcome
from aml_magics.model.triggers import Timetable

__all__ = ["GRACE", "LIMIT", "Decision", "decide", "fire_key"]

GRACE = 10.0
LIMIT = 1000
_STRIDE = 4  # each look back reaches that many times further
_NAMESPACE = uuid.UUID("5f3b0e3c-6d57-5e0b-9a53-1f6f1d1c3f6e").bytes


class Decision(NamedTuple):
    """What was decided of one schedule: it had got to ``after``, these are its fires, it has now got to ``until``."""

    schedule_id: str
    after: float
    until: float
    fires: tuple[Fire, ...]
    on_time: float | None  # the instant that is fired on time, for the statistics
    next_due: float | None


def fire_key(text: str) -> str:
    """The key of a fire, a version 5 UUID: the same text is the same fire, in every kernel and for ever."""
    # uuid.uuid5 says the same five times slower, and a thousand fires are due at once.
    digest = bytearray(sha1(_NAMESPACE + text.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50  # version 5
    digest[8] = digest[8] & 0x3F | 0x80  # the variant of RFC 9562
    plain = digest.hex()
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


def decide(watch: Watch, timetable: Timetable, after: float, first: float, now: float, seen: float) -> Decision:
    """Decide all of ``watch`` from ``first``, its first instant after ``after``, to ``now`` (``first <= now``).

    ``seen`` is when this could first be decided: before ``now`` when the database has refused to take it since.
    """
    following = timetable.next_after(first)
    if following is None or following > now:
        dues, total = [first], 1
    else:
        dues, total = _backlog(timetable, after, now, LIMIT + 1 if watch.missed == Missed.ALL else 2)
        following = timetable.next_after(dues[-1])
    decided = datetime.fromtimestamp(now, UTC)
    newest = dues[-1]
    on_time = newest if seen - newest <= GRACE else None
    fires: tuple[Fire, ...] = ()
    if on_time is not None:
        fires = (_fire(watch, on_time, decided),)
        dues, total = dues[:-1], total - 1
    if dues:
        fires = (*_missed(watch, timetable, first, dues, total, decided), *fires)
    return Decision(watch.id, after, newest, fires, on_time, following)


def _missed(
    watch: Watch, timetable: Timetable, first: float, dues: list[float], total: int, decided: datetime
) -> list[Fire]:
    """The fires for what was missed: ``total`` instants from ``first`` on, of which ``dues`` are the newest."""
    what = _described(timetable, first, dues[-1], total)
    if watch.missed == Missed.SKIP:
        return [_fire(watch, dues[-1], decided, Outcome.MISSED, f"{what} missed while no kernel was there")]
    if watch.missed == Missed.ONCE:
        return [_fire(watch, dues[-1], decided, detail=f"one run for {what}, missed while no kernel was there")]
    run = dues[-LIMIT:]
    fires = [_fire(watch, due, decided, detail="missed while no kernel was there, run now") for due in run]
    if total > len(run):
        newest_left = dues[-LIMIT - 1] if len(dues) > LIMIT else first
        detail = f"{what} missed while no kernel was there, only the newest {len(run):,} are run"
        fires.insert(0, _fire(watch, newest_left, decided, Outcome.MISSED, detail))
    return fires


def _described(timetable: Timetable, first: float, last: float, total: int) -> str:
    start = instant_text(datetime.fromtimestamp(first, UTC), timetable.zone)
    if total == 1:
        return f"1 fire time ({start})"
    end = instant_text(datetime.fromtimestamp(last, UTC), timetable.zone)
    count = f"more than {LIMIT:,}" if total > LIMIT else f"{total:,}"
    return f"{count} fire times ({start} to {end})"


def _fire(watch: Watch, due: float, decided: datetime, outcome: Outcome = Outcome.SUBMITTED, detail: str = "") -> Fire:
    return Fire(
        key=fire_key(f"{watch.id}|{due:.6f}"),
        schedule_id=watch.id,
        reason="clock",
        decided=decided,
        due=datetime.fromtimestamp(due, UTC),
        outcome=outcome,
        detail=detail,
    )


def _backlog(timetable: Timetable, after: float, now: float, keep: int) -> tuple[list[float], int]:
    """The newest instants in (after, now], ``keep`` or more where there are as many, and how many there are in all.

    A number above ``LIMIT`` + 1 means "more than ``LIMIT``, not counted further".
    """
    most = LIMIT + 2
    dues = _walk(timetable, after, now, most)
    if len(dues) < most:
        return dues, len(dues)
    return _newest(timetable, after, now, keep), most


def _newest(timetable: Timetable, after: float, now: float, keep: int) -> list[float]:
    most = 2 * _STRIDE * keep + LIMIT
    width, best = 1.0, list[float]()
    while len(best) < keep:
        dues = _walk(timetable, max(after, now - width), now, most)
        if len(dues) == most:  # suddenly very many, as in a cron that rests for two weeks of a month
            return _narrowed(timetable, now, (width / _STRIDE, width), len(best), most)
        best = dues
        width *= _STRIDE
    return best


def _narrowed(timetable: Timetable, now: float, widths: tuple[float, float], few: int, most: int) -> list[float]:
    """``few`` in the last ``widths[0]`` seconds, ``most`` or more in the last ``widths[1]``: halve until between."""
    narrow, wide = widths
    while True:
        middle = (narrow + wide) / 2
        dues = _walk(timetable, now - middle, now, most)
        if len(dues) <= few:
            narrow = middle
        elif len(dues) == most:
            wide = middle
        else:
            return dues


def _walk(timetable: Timetable, after: float, now: float, most: int) -> list[float]:
    """The instants in (after, now], at most ``most``, oldest first."""
    dues: list[float] = []
    due = timetable.next_after(after)
    while due is not None and due <= now and len(dues) < most:
        dues.append(due)
        due = timetable.next_after(due)
    return dues
