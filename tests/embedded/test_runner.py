"""Runs are walked step by step: in parallel where they can be, and no further than they should be."""

from __future__ import annotations

import asyncio
import contextvars
import os
import re
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from aml_magics.embedded import run_tables
from aml_magics.embedded import runner as runner_module
from aml_magics.embedded.step import StepResult
from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import PipelineDefinition, PipelineInput, StepDefinition
from aml_magics.model.resources import DataPath, DataPathParameter, Parameter, RunStatus, StepStatus
from tests.embedded.runner_world import World, serving, step, until
from tests.support.clock import FakeClock

FINISHED, FAILED, CANCELED, BYPASSED = (
    StepStatus.FINISHED,
    StepStatus.FAILED,
    StepStatus.CANCELED,
    StepStatus.BYPASSED,
)


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as world:
        yield world


def test_a_run_is_executed_and_recorded(world):
    async def scenario():
        run_id = world.add(step("only", "echo hello; exit 0"))
        async with serving(world.runner()):
            run = (await world.ended(run_id))[run_id]
        assert run.status is RunStatus.FINISHED
        assert run.status_detail == ""
        assert run.created <= run.started <= run.ended
        (only,) = world.steps(run_id).values()
        assert (only.id, only.status, only.exit_code) == ("node-only", FINISHED, 0)
        assert run.started <= only.started <= only.ended <= run.ended
        assert world.log(run_id, "only") == "hello\n"
        record = run_tables.get_record(world.database, run_id)
        assert record.owner is None

    asyncio.run(scenario())


def test_outputs_flow_from_step_to_step(world):
    async def scenario():
        make = StepDefinition(name="make", command="echo 42 > ${{outputs.out}}/n", outputs=("out",))
        double = step("double", "echo $(($(cat ${{inputs.from_make}}/n) * 2))", "make")
        run_id = world.add(double, make)
        async with serving(world.runner()):
            assert (await world.ended(run_id))[run_id].status is RunStatus.FINISHED
        assert world.log(run_id, "double") == "84\n"

    asyncio.run(scenario())


def test_parameters_and_data_paths_reach_the_step(world):
    async def scenario():
        world.pipelines["p"] = PipelineDefinition(
            name="p",
            parameters=(Parameter("rate", 0.1), Parameter("kept", True)),
            data_paths=(DataPathParameter("data"),),
            steps=(
                StepDefinition(
                    name="show",
                    command="python show.py ${{inputs.rate}} ${{inputs.data}}",
                    code={"show.py": b"import os, sys; print(sys.argv[1:], os.environ['AML_PARAMETER_kept'])"},
                    inputs={"rate": PipelineInput("rate"), "data": PipelineInput("data")},
                ),
            ),
        )
        run_id = world.add_run("p", parameters={"rate": 0.5}, data_paths={"data": DataPath("store", "a b.csv")})
        async with serving(world.runner()):
            await world.ended(run_id)
        assert world.log(run_id, "show") == "['0.5', '/data/store/a b.csv'] True\n"
        assert len(list((world.root / ".aml" / "code").iterdir())) == 1

    asyncio.run(scenario())


def test_independent_steps_run_at_the_same_time_and_the_limit_holds_over_all_runs(world):
    async def scenario():
        first = world.add(step("a", world.pause("a")), step("b", world.pause("b")), step("c", world.pause("c")))
        second = world.add(step("d", world.pause("d")))
        async with serving(world.runner(parallel_steps=2)) as runner:
            await world.is_up("a")
            await world.is_up("b")
            assert runner.running_steps == 2
            assert world.step_statuses(first)["c"] is StepStatus.QUEUED
            assert world.status(second) is RunStatus.NOT_STARTED
            world.let_go("a")
            await world.is_up("c")
            assert not world.mark("d.up").exists()
            world.let_go("b")
            await world.is_up("d")
            assert runner.running_steps == 2
            world.let_go("c")
            world.let_go("d")
            await world.ended(first, second)

    asyncio.run(scenario())


def test_a_step_waits_for_all_that_it_needs(world):
    async def scenario():
        run_id = world.add(step("a", world.pause("a")), step("b", "true"), step("both", "true", "a", "b"))
        async with serving(world.runner()):
            await world.is_up("a")
            await until(lambda: world.step_statuses(run_id)["b"] is FINISHED)
            assert world.step_statuses(run_id)["both"] is StepStatus.NOT_STARTED
            world.let_go("a")
            await world.ended(run_id)
        assert set(world.step_statuses(run_id).values()) == {FINISHED}

    asyncio.run(scenario())


def test_after_a_failed_step_nothing_new_starts_and_siblings_finish(world):
    async def scenario():
        steps = (
            step("fails", "echo why >&2; exit 3"),
            step("sibling", world.pause("sibling")),
            step("after", "true", "sibling"),
            step("needs", "true", "fails"),
        )
        run_id = world.add(*steps)
        async with serving(world.runner()):
            await world.is_up("sibling")
            await until(lambda: world.step_statuses(run_id)["fails"] is FAILED)
            assert world.status(run_id) is RunStatus.RUNNING
            world.let_go("sibling")
            run = (await world.ended(run_id))[run_id]
        assert run.status is RunStatus.FAILED
        assert run.status_detail == "step fails: exit code 3; the last line of its log: why"
        assert world.step_statuses(run_id) == {
            "fails": FAILED,
            "sibling": FINISHED,
            "after": BYPASSED,
            "needs": BYPASSED,
        }
        assert world.steps(run_id)["fails"].exit_code == 3
        assert world.steps(run_id)["needs"].detail == "not started: another step failed"

    asyncio.run(scenario())


def test_with_continue_on_step_failure_only_what_needs_the_failed_step_is_left_out(world):
    async def scenario():
        run_id = world.add(
            step("fails", "exit 1"),
            step("needs", "true", "fails"),
            step("needs_too", "true", "needs"),
            step("first", "true"),
            step("second", "true", "first"),
            continue_on_step_failure=True,
        )
        async with serving(world.runner(parallel_steps=1)):
            run = (await world.ended(run_id))[run_id]
        assert run.status is RunStatus.FAILED
        assert world.step_statuses(run_id) == {
            "fails": FAILED,
            "needs": BYPASSED,
            "needs_too": BYPASSED,
            "first": FINISHED,
            "second": FINISHED,
        }

    asyncio.run(scenario())


def test_a_run_that_is_canceled_while_it_waits_never_starts(world):
    async def scenario():
        run_id = world.add(step("a", "true"))
        runner = world.runner()
        await runner.cancel(run_id)
        run = world.run(run_id)
        assert run.status is RunStatus.CANCELED
        assert run.ended is not None
        async with serving(runner):
            other = world.add(step("a", "true"))
            runner.wake()
            await world.ended(other)
        assert world.step_statuses(run_id) == {"a": CANCELED}
        assert not world.folder(run_id, "a").exists()

    asyncio.run(scenario())


def test_a_run_that_is_canceled_while_it_runs_ends_its_steps_and_starts_no_more(world):
    async def scenario():
        run_id = world.add(step("a", world.pause("a")), step("b", "true", "a"), step("done", "true"))
        async with serving(world.runner()) as runner:
            await world.is_up("a")
            await until(lambda: world.step_statuses(run_id)["done"] is FINISHED)
            await runner.cancel(run_id)
            run = (await world.ended(run_id))[run_id]
            await runner.cancel(run_id)
        assert run.status is RunStatus.CANCELED
        assert world.step_statuses(run_id) == {"a": CANCELED, "b": CANCELED, "done": FINISHED}
        assert world.run(run_id) == run

    asyncio.run(scenario())


def test_a_cancel_that_only_the_database_knows_of_is_noticed(world):
    async def scenario():
        run_id = world.add(step("a", world.pause("a")), step("b", "true", "a"))
        async with serving(world.runner()):
            await world.is_up("a")
            with world.database.transaction() as connection:
                assert run_tables.request_cancel(connection, run_id, 0.0) == ["a"]
            assert (await world.ended(run_id))[run_id].status is RunStatus.CANCELED

    asyncio.run(scenario())


def test_a_run_of_another_kernel_is_canceled_through_the_file(world):
    async def scenario():
        run_id = world.add(step("a", world.pause("a")))
        async with serving(world.runner("other", clock=FakeClock(1e9))):  # its clock stands: it does not look by itself
            await world.is_up("a")
            mine = world.runner("me")
            await mine.cancel(run_id)
            await mine.stop()
            assert (await world.ended(run_id))[run_id].status is RunStatus.CANCELED

    asyncio.run(scenario())


def test_canceling_what_is_not_there_is_not_found(world):
    async def scenario():
        runner = world.runner()
        with pytest.raises(LookupError, match="there is no run 'nope'"):
            await runner.cancel("nope")
        await runner.stop()

    asyncio.run(scenario())


def test_a_run_that_cannot_be_run_fails_with_the_reason_and_the_next_one_runs(world):
    async def scenario():
        unknown = world.add_run("gone")
        world.add(step("a", "true"))
        broken = world.add_run("p0")
        world.pipelines["p0"] = PipelineDefinition(name="changed", steps=(step("b", "true"),))
        odd = world.add(step("a", "true"))
        world.pipelines["p1"] = "not a definition"
        fine = world.add(step("a", "true"))
        async with serving(world.runner(parallel_steps=1)):
            runs = await world.ended(unknown, broken, odd, fine)
        assert runs[unknown].status_detail == "there is no pipeline 'gone'"
        assert runs[broken].status_detail == "the steps of the run are not those of its pipeline"
        assert runs[odd].status_detail.startswith("AttributeError: ")
        assert [runs[one].status for one in (unknown, broken, odd)] == [RunStatus.FAILED] * 3
        assert world.step_statuses(broken) == {"a": BYPASSED}
        assert runs[fine].status is RunStatus.FINISHED

    asyncio.run(scenario())


def test_a_step_whose_data_cannot_be_found_fails_with_the_reason(world):
    async def scenario():
        async def resolve(place, _folder):
            raise InvalidInput(f"{place} has no path on this machine")

        world.pipelines["p"] = PipelineDefinition(
            name="p", data_paths=(DataPathParameter("data", DataPath("s", "x")),), steps=(step("a", "true"),)
        )
        run_id = world.add_run("p")
        runner = world.runner()
        runner._resolve = resolve
        async with serving(runner):
            run = (await world.ended(run_id))[run_id]
        assert run.status_detail == "step a: s/x has no path on this machine"

    asyncio.run(scenario())


class Recording(ThreadPoolExecutor):
    """Keeps what it was given, and can lose it as a broken pool does."""

    def __init__(self, workers: int = 2) -> None:
        super().__init__(workers)
        self.given = []
        self.broken = False

    def submit(self, fn, /, *args, **kwargs):
        if self.broken:
            raise RuntimeError("cannot schedule new futures after shutdown")
        self.given.append(args)
        return super().submit(fn, *args, **kwargs)


def test_thousands_of_runs_that_wait_are_rows_and_no_tasks(world):
    async def scenario():
        waiting = world.add(step("a", world.pause("a")))
        with world.database.transaction() as connection:
            for number in range(2000):
                run = world.run(waiting)
                run_tables.insert_run(connection, _copy(run, f"r{number}"), [("a", "a")])
        with Recording() as executor:
            async with serving(world.runner(executor=executor, parallel_steps=2)):
                await world.is_up("a")
                await until(lambda: len(executor.given) == 2)
                assert len(asyncio.all_tasks()) < 10
                row = world.database.row("SELECT count(*) FROM runs WHERE status = 'NotStarted' AND owner IS NULL")
                assert row[0] == 1999

    asyncio.run(scenario())


def _copy(run, run_id):
    return type(run)(
        id=run_id, experiment_name="E", pipeline_id=run.pipeline_id, created=run.created, parameters=run.parameters
    )


def test_an_executor_that_loses_a_step_fails_that_step_only(world):
    async def scenario():
        class Lossy(Recording):
            def submit(self, fn, /, *args, **kwargs):
                if len(self.given) == 0:
                    self.given.append(args)
                    lost: Future[StepResult] = Future()
                    lost.set_exception(MemoryError("the worker died"))
                    return lost
                return super().submit(fn, *args, **kwargs)

        lost = world.add(step("a", "true"))
        fine = world.add(step("a", "true"))
        with Lossy() as executor:
            async with serving(world.runner(executor=executor)):
                runs = await world.ended(lost, fine)
        assert runs[lost].status_detail == "step a: the worker that ran it was lost (MemoryError: the worker died)"
        assert runs[fine].status is RunStatus.FINISHED

    asyncio.run(scenario())


def test_an_executor_that_takes_nothing_more_fails_the_step_with_its_words(world):
    async def scenario():
        run_id = world.add(step("a", "true"))
        with Recording() as executor:
            executor.broken = True
            async with serving(world.runner(executor=executor)):
                run = (await world.ended(run_id))[run_id]
        assert "cannot schedule new futures" in run.status_detail

    asyncio.run(scenario())


def test_a_step_that_waits_for_a_worker_is_canceled_at_once(world):
    async def scenario():
        first = world.add(step("a", world.pause("a")))
        second = world.add(step("b", "true"))
        with Recording(workers=1) as executor:
            async with serving(world.runner(executor=executor)) as runner:
                await world.is_up("a")
                await until(lambda: world.step_statuses(second) == {"b": StepStatus.RUNNING})
                await until(lambda: len(executor.given) == 2)
                await runner.cancel(second)
                assert (await world.ended(second))[second].status is RunStatus.CANCELED
                assert world.status(first) is RunStatus.RUNNING
                world.let_go("a")
                await world.ended(first)
        assert not (world.folder(second, "b") / "std_log.txt").exists()

    asyncio.run(scenario())


def test_the_executor_handed_in_stays_open(world):
    async def scenario():
        with Recording() as executor:
            async with serving(world.runner(executor=executor)):
                await world.ended(world.add(step("a", "true")))
            assert executor.submit(len, "abc").result() == 3

    asyncio.run(scenario())


def test_what_cannot_be_written_now_is_written_later(world, monkeypatch):
    async def scenario():
        run_id = world.add(step("a", "echo ran; true"))
        runner = world.runner()
        real = run_tables.update_step
        refusals = []

        def refuse_once(connection, owner, step, *, now):
            if step.status.is_final and not refusals:
                refusals.append(step)
                raise OSError("the disk is full")
            return real(connection, owner, step, now=now)

        monkeypatch.setattr(run_tables, "update_step", refuse_once)
        async with serving(runner):
            assert (await world.ended(run_id))[run_id].status is RunStatus.FINISHED
        assert refusals
        assert runner.trouble == "OSError: the disk is full"
        assert world.log(run_id, "a") == "ran\n"

    asyncio.run(scenario())


def test_its_tasks_know_nothing_of_the_cell_that_started_them(world):
    cell = contextvars.ContextVar("cell", default="none")

    async def scenario():
        seen = []
        real = runner_module.step_spec

        def spy(*args, **kwargs):
            seen.append(cell.get())
            return real(*args, **kwargs)

        cell.set("the cell")
        runner_module.step_spec = spy
        try:
            run_id = world.add(step("a", "true"))
            async with serving(world.runner()) as runner:
                runner.wake()
                await world.ended(run_id)
        finally:
            runner_module.step_spec = real
        assert seen == ["none"]

    asyncio.run(scenario())


def test_at_least_one_step_must_be_able_to_run(world):
    with pytest.raises(InvalidInput, match="parallel_steps is 0"):
        world.runner(parallel_steps=0)


def test_files_are_written_and_processes_started_off_the_loop(world, monkeypatch):
    async def scenario():
        threads = {}

        def spied(name):
            real = getattr(runner_module, name)

            def spy(*args):
                threads[name] = threading.current_thread()
                return real(*args)

            monkeypatch.setattr(runner_module, name, spy)

        spied("run_step")
        spied("materialise")
        run_id = world.add(step("a", "true", code={"x": b"y"}))
        async with serving(world.runner()):
            assert (await world.ended(run_id))[run_id].status is RunStatus.FINISHED
        assert sorted(threads) == ["materialise", "run_step"]
        assert threading.current_thread() not in threads.values()
        assert all(thread.daemon for thread in threads.values())

    asyncio.run(scenario())


def test_every_pipeline_run_has_folders_of_its_own(world):
    async def scenario():
        first = world.add(step("a", "pwd"))
        second = world.add_run("p0")
        async with serving(world.runner()):
            await world.ended(first, second)
        assert world.log(first, "a").strip() == str(world.folder(first, "a") / "code")
        assert world.log(second, "a").strip() == str(world.folder(second, "a") / "code")
        assert all(re.fullmatch(r"[0-9a-f-]{36}", one) for one in os.listdir(world.runs_folder))

    asyncio.run(scenario())


@contextmanager
def second_connection(world):
    with World(world.root) as other:
        yield other.database


def test_two_runners_on_one_file_never_execute_a_run_twice(world):
    async def scenario():
        run_ids = [world.add(step("a", f"echo x >> {world.root}/times-$AZUREML_RUN_ID")) for _ in range(30)]
        with second_connection(world) as database:
            first = world.runner("one")
            second = world.runner("two", database=database)
            async with serving(first, second):
                runs = await world.ended(*run_ids)
        assert {run.status for run in runs.values()} == {RunStatus.FINISHED}
        assert [world.mark(f"times-{one}").read_text() for one in run_ids] == ["x\n"] * 30

    asyncio.run(scenario())
