"""What asking "when next?" costs, beside croniter: ``python -m tests.benchmarks.triggers``.

CPU time, the best of several rounds; the machine's speed cancels out of the ratio. Each row asks for the next fire from
the one before, the way an engine does; ``warm`` asks from one instant again and again. Nothing here asserts.
"""

from __future__ import annotations

import gc
import heapq
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from croniter import croniter

from aml_magics.model.triggers import Cron, Recurrence, Timetable

NOW = datetime(2026, 11, 22, 12, 3, tzinfo=UTC)
EXPRESSIONS = ("*/15 * * * *", "0 6 * * 1-5", "30 2 1 * *", "0 0 29 2 *")
ZONES = ("UTC", "America/New_York")
ROUNDS = 5
MANY = 100_000


def best(work: Callable[[], object], times: int) -> float:
    """Microseconds of CPU for each of ``times`` pieces of work that one call of ``work`` does."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken) / times * 1e6


def walk(timetable: Timetable, steps: int) -> None:
    due = NOW.timestamp()
    for _ in range(steps):
        following = timetable.next_after(due)
        due = NOW.timestamp() if following is None else following


def repeat(timetable: Timetable, steps: int) -> None:
    since = NOW.timestamp()
    for _ in range(steps):
        timetable.next_after(since)


def walk_croniter(expression: str, zone: str, steps: int) -> None:
    iterator = croniter(expression, NOW.astimezone(ZoneInfo(zone)))
    for _ in range(steps):
        iterator.get_next(datetime)


def crons() -> None:
    print(f"{'cron':<16}{'zone':<18}{'ours':>10}{'warm':>10}{'croniter':>10}{'ratio':>8}   us for each next fire")
    for zone in ZONES:
        for expression in EXPRESSIONS:
            steps = 40 if expression.startswith("0 0 29") else 500
            timetable = Cron(expression=expression, time_zone=zone).timetable(NOW)
            ours = best(lambda table=timetable, count=steps: walk(table, count), steps)
            warm = best(lambda table=timetable: repeat(table, 20_000), 20_000)
            peer = best(lambda e=expression, z=zone, count=steps: walk_croniter(e, z, count), steps)
            print(f"{expression:<16}{zone:<18}{ours:>10.2f}{warm:>10.2f}{peer:>10.2f}{peer / ours:>7.0f}x")


def recurrences() -> None:
    print(f"\n{'recurrence':<46}{'timetable':>10}{'next':>10}   us")
    start = datetime(2024, 1, 31, 6, 30)
    for trigger in (
        Recurrence(frequency="Minute", interval=15),
        Recurrence(frequency="Day", start_time=start, time_zone="America/New_York"),
        Recurrence(frequency="Week", interval=2, week_days=("Monday", "Friday"), hours=(6,), minutes=(30,)),
        Recurrence(frequency="Month", start_time=start),
    ):
        timetable = trigger.timetable(NOW)
        make = best(lambda one=trigger: [one.timetable(NOW) for _ in range(20_000)], 20_000)
        ask = best(lambda table=timetable: repeat(table, 20_000), 20_000)
        print(f"{trigger.in_words():<46}{make:>10.2f}{ask:>10.2f}")


def hundred_thousand() -> None:
    triggers = [Recurrence(frequency="Minute", interval=minutes) for minutes in (5, 10, 15, 30, 60)]
    births = [NOW + timedelta(seconds=0.37 * number) for number in range(MANY)]
    later = births[-1].timestamp() + 86_400
    gc.collect()
    memory, began = resident(), time.process_time()
    tables = [triggers[number % 5].timetable(births[number]) for number in range(MANY)]
    heap = [(table.next_after(later), number) for number, table in enumerate(tables)]
    heapq.heapify(heap)
    taken, memory = time.process_time() - began, resident() - memory
    print(f"\n{MANY} timetables, their first fires and the heap: {taken:.3f} s of CPU, {memory / 1e6:.1f} MB resident")


def resident() -> int:
    """Bytes of memory of this process, on Linux."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    print(f"Python {sys.version.split()[0]}")
    hundred_thousand()
    print()
    crons()
    recurrences()


if __name__ == "__main__":
    main()
