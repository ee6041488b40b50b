"""However a runner ends, its steps end with it, and whoever comes next finds out what happened."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import wait

import psutil
import pytest

from aml_magics.embedded import run_tables
from aml_magics.embedded.step import INTERRUPTED
from aml_magics.model.resources import RunStatus, StepStatus
from tests.embedded.runner_world import World, serving, step, until
from tests.support.clock import FakeClock
from tests.support.processes import is_gone

LONG = "sleep 300"


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as world:
        yield world


def leader(world: World, name: str) -> psutil.Process:
    return psutil.Process(int(world.mark(name).read_text()))


def tree(world: World, name: str) -> list[psutil.Process]:
    """The command of a step, and its child that stays."""
    return [leader(world, name), leader(world, f"{name}.child")]


def long(world: World, name: str) -> str:
    """A command that says who it is, and stays; with a child that stays too."""
    mark = world.mark(name)
    child = f"sh -c 'echo $$ > {mark}.child; exec {LONG}' & while [ ! -s {mark}.child ]; do sleep 0.01; done"
    return f"{child}; echo $$ > {mark}.part; mv {mark}.part {mark}; wait"


def test_stop_ends_the_steps_and_says_that_they_were_interrupted(world):
    async def scenario():
        busy = world.add(step("done", "true"), step("a", long(world, "a"), "done"), step("b", "true", "a"))
        waits = world.add(step("c", "true"))
        async with serving(world.runner(parallel_steps=1)) as runner:
            await until(world.mark("a").exists)
            processes = tree(world, "a")
            await runner.stop()
            assert all(map(is_gone, processes))
            assert runner.running_steps == 0
            run = world.run(busy)
            assert (run.status, run.status_detail) == (RunStatus.FAILED, INTERRUPTED)
            assert world.step_statuses(busy) == {
                "done": StepStatus.FINISHED,
                "a": StepStatus.FAILED,
                "b": StepStatus.BYPASSED,
            }
            assert world.steps(busy)["a"].detail == INTERRUPTED
            assert world.status(waits) is RunStatus.NOT_STARTED

    asyncio.run(scenario())


def test_stop_records_what_had_just_ended(world):
    async def scenario():
        run_id = world.add(step("a", "true"))
        runner = world.runner()
        runner.start()
        await until(lambda: [busy for busy in runner._busy.values() if busy.future is not None], "a step under way")
        (busy,) = runner._busy.values()
        wait([busy.future])  # holds up the loop: nobody has seen the end of the step yet
        assert world.status(run_id) is RunStatus.RUNNING
        await runner.stop()
        assert world.status(run_id) is RunStatus.FINISHED

    asyncio.run(scenario())


def test_a_stop_that_is_cut_short_has_told_the_truth_already(world):
    async def scenario():
        stubborn = f"trap '' TERM; {long(world, 'a')}; {LONG}"
        run_id = world.add(step("a", stubborn))
        runner = world.runner()
        runner.start()
        await until(world.mark("a").exists)
        process = leader(world, "a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(runner.stop(), 0.05)
        assert world.run(run_id).status_detail == INTERRUPTED
        await until(lambda: is_gone(process), "SIGKILL after the grace")

    asyncio.run(scenario())


def test_stop_before_start_is_harmless(world):
    async def scenario():
        await world.runner().stop()

    asyncio.run(scenario())


def test_what_a_dead_kernel_left_is_taken_over(world):
    async def scenario():
        begun = world.add(step("a", "touch ran"), step("b", "true", "a"))
        untouched = world.add(step("a", "true"))
        with world.database.transaction() as connection:
            assert run_tables.claim_next(connection, "dead", 1.0) == begun
            assert run_tables.claim_next(connection, "dead", 1.0) == untouched
            running = world.steps(begun)["a"]
            running = type(running)(id=running.id, run_id=begun, name="a", status=StepStatus.RUNNING)
            run_tables.update_step(connection, "dead", running, now=2.0)
        runner = world.runner()
        async with serving(runner):
            runner.adopt("dead")
            runner.adopt("dead")
            runs = await world.ended(begun, untouched)
        assert (runs[begun].status, runs[begun].status_detail) == (RunStatus.FAILED, INTERRUPTED)
        assert world.step_statuses(begun) == {"a": StepStatus.FAILED, "b": StepStatus.BYPASSED}
        assert runs[untouched].status is RunStatus.FINISHED

    asyncio.run(scenario())


def test_a_kernel_that_was_only_asleep_loses_its_run_and_ends_its_step(world):
    async def scenario():
        run_id = world.add(step("a", long(world, "a")), step("b", "true", "a"))
        sleeper = world.runner("sleeper", clock=FakeClock(1e9))
        survivor = world.runner("survivor")
        async with serving(sleeper):
            await until(world.mark("a").exists)
            process = leader(world, "a")
            survivor.adopt("sleeper")
            run = world.run(run_id)
            assert run.status_detail == INTERRUPTED
            await until(lambda: is_gone(process))
            await until(lambda: sleeper.running_steps == 0, "the sleeper to notice")
        await survivor.stop()
        assert world.run(run_id) == run
        assert world.step_statuses(run_id) == {"a": StepStatus.FAILED, "b": StepStatus.BYPASSED}

    asyncio.run(scenario())


def test_whoever_loses_its_run_ends_the_steps_of_it_that_still_run(world):
    async def scenario():
        run_id = world.add(step("a", world.pause("a")), step("b", long(world, "b")))
        runner = world.runner()
        async with serving(runner):
            await world.is_up("a")
            await until(world.mark("b").exists)
            processes = tree(world, "b")
            with world.database.transaction() as connection:  # as another kernel does that dies right after it
                run_tables.take_over(connection, "me", INTERRUPTED, 1.0)
            world.let_go("a")
            await until(lambda: runner.running_steps == 0, "both steps to end")
            assert all(map(is_gone, processes))
        assert world.run(run_id).status_detail == INTERRUPTED

    asyncio.run(scenario())


KERNEL = """
import asyncio, sys
from pathlib import Path
from aml_magics.model.graph import PipelineDefinition
from tests.embedded.runner_world import World, step

async def main(root, command):
    with World(Path(root)) as world:
        world.pipelines["p0"] = PipelineDefinition(name="p0", steps=(step("a", command),))
        runner = world.runner("killed")
        runner.start()
        await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


def test_kill_9_of_the_kernel_leaves_no_process_and_its_run_is_taken_over(world):
    run_id = world.add(step("a", long(world, "a")))
    command = world.pipelines["p0"].steps[0].command
    arguments = [sys.executable, "-c", KERNEL, str(world.root), command]
    with subprocess.Popen(arguments, start_new_session=True) as kernel:
        asyncio.run(until(world.mark("a").exists, "the step of the other kernel"))
        processes = [*tree(world, "a"), leader(world, "a").parent()]
        assert world.status(run_id) is RunStatus.RUNNING
        os.kill(kernel.pid, signal.SIGKILL)
    asyncio.run(until(lambda: all(map(is_gone, processes)), "the end of the step"))

    async def scenario():
        async with serving(world.runner("next")) as runner:
            runner.adopt("killed")
            assert (await world.ended(run_id))[run_id].status_detail == INTERRUPTED

    asyncio.run(scenario())
