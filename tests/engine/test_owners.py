"""Who lives on a file: a kernel that dies is noticed, one that is only slow or was suspended is not taken for dead."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aml_magics.engine.owners import BEAT_SECONDS, _start_of, this_process
from tests.engine.fakes import Bench

ELSEWHERE = "another-machine:4711:99:abcd"


def add_owner(bench: Bench, owner: str, beat: int = 1) -> None:
    with bench.database.transaction() as db:
        db.execute("INSERT OR REPLACE INTO owners VALUES (?, ?, ?)", (owner, beat, bench.clock.now()))


def owners(bench: Bench) -> set[str]:
    return {row["owner"] for row in bench.database.rows("SELECT owner FROM owners")}


def test_an_owner_names_host_process_and_start_and_no_two_are_alike():
    first, second = this_process(), this_process()
    assert first != second
    host, pid, start, _ = first.split(":")
    assert int(pid) == os.getpid()
    assert host
    assert start


def test_a_kernel_is_in_the_table_while_it_runs_and_leaves_when_it_stops(tmp_path):
    async def scenario():
        first = Bench(tmp_path / "w.db")
        second = first.another()
        async with first:
            async with second:
                assert owners(first) == {first.engine.owner, second.engine.owner}
                await first.clock.pass_time(2)
                assert first.engine.health().owners == 2
            await first.clock.pass_time(2)
            assert owners(first) == {first.engine.owner}
            assert first.engine.health().owners == 1
            assert first.host.dead == []

    asyncio.run(scenario())


def test_a_process_of_this_machine_that_is_gone_is_dead_within_a_beat():
    async def scenario(other: subprocess.Popen) -> None:
        owner = f"{this_process().split(':')[0]}:{other.pid}:{_start(other.pid)}:abcd"
        bench = Bench()
        add_owner(bench, owner)
        async with bench:
            await bench.clock.pass_time(20)
            assert bench.host.dead == []
            other.kill()
            other.wait()
            await bench.clock.pass_time(BEAT_SECONDS)
            assert bench.host.dead == [owner]
            assert owners(bench) == {bench.engine.owner}

    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        asyncio.run(scenario(other))


def _start(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def test_a_process_id_that_is_used_again_is_not_taken_for_the_old_process():
    async def scenario():
        bench = Bench()
        host, pid, _, _ = this_process().split(":")
        add_owner(bench, f"{host}:{pid}:1:abcd")
        async with bench:
            assert bench.host.dead == [f"{host}:{pid}:1:abcd"]

    asyncio.run(scenario())


def test_a_kernel_elsewhere_that_is_silent_for_eight_seconds_is_dead():
    async def scenario():
        bench = Bench()
        add_owner(bench, ELSEWHERE)
        async with bench:
            await bench.clock.pass_time(7)
            assert bench.host.dead == []
            await bench.clock.pass_time(1.5)
            assert bench.host.dead == [ELSEWHERE]

    asyncio.run(scenario())


def test_a_kernel_elsewhere_that_beats_is_not_dead():
    async def scenario():
        bench = Bench()
        async with bench:
            for beat in range(20):
                add_owner(bench, ELSEWHERE, beat)
                await bench.clock.pass_time(1.5)
            assert bench.host.dead == []
            assert bench.engine.health().owners == 2

    asyncio.run(scenario())


def test_nobody_is_dead_because_the_machine_was_suspended():
    async def scenario():
        bench = Bench()
        async with bench:
            for beat in range(3):
                add_owner(bench, ELSEWHERE, beat)
                await bench.clock.pass_time(2)
            bench.clock.step(86_400)
            await bench.clock.pass_time(2.1)
            assert bench.host.dead == []

    asyncio.run(scenario())


def test_a_process_of_this_machine_that_is_there_but_silent_gets_a_minute():
    async def scenario():
        bench = Bench()
        stuck = this_process()  # this very process, under another name
        add_owner(bench, stuck)
        async with bench:
            await bench.clock.pass_time(60)
            assert bench.host.dead == []
            await bench.clock.pass_time(10)
            assert bench.host.dead == [stuck]

    asyncio.run(scenario())


def test_a_death_that_could_not_be_handled_is_told_again():
    async def scenario():
        bench = Bench()
        add_owner(bench, "x:1:1:1".replace("x", this_process().split(":")[0]))
        told = []

        def owner_died(owner: str) -> None:
            told.append(owner)
            if len(told) == 1:
                raise RuntimeError("not now")

        bench.host.owner_died = owner_died
        async with bench:
            assert "not now" in bench.engine.health().errors[0]
            await bench.clock.pass_time(2)
            assert len(told) == 2
            assert owners(bench) == {bench.engine.owner}

    asyncio.run(scenario())


@pytest.mark.parametrize("beats", [1, 5])
def test_a_kernel_that_was_declared_dead_by_mistake_comes_back(beats):
    async def scenario():
        bench = Bench()
        async with bench:
            await bench.clock.pass_time(beats * BEAT_SECONDS)
            with bench.database.transaction() as db:
                db.execute("DELETE FROM owners")
            await bench.clock.pass_time(BEAT_SECONDS)
            assert owners(bench) == {bench.engine.owner}

    asyncio.run(scenario())


def test_work_of_a_kernel_that_has_no_row_any_more_is_taken_over():
    async def scenario():
        bench = Bench()
        machine, pid, start, _ = bench.engine.owner.split(":")
        closed_here = f"{machine}:{pid}:{start}:earlier"  # an earlier workspace of this very process
        gone = f"{machine}:999999999:1:x"
        elsewhere = "another-host:1:1:x"
        alive = f"{machine}:1:{_start_of(1)}:x"  # only forgotten: it will beat again
        bench.host.at_work = [closed_here, gone, elsewhere, alive, bench.engine.owner]
        async with bench:
            assert bench.host.dead == [closed_here, gone, elsewhere]

    asyncio.run(scenario())
