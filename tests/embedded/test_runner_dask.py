"""Any executor will do: a process pool, and a Dask cluster whose worker dies with the step on it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from unittest import mock

import psutil
import pytest

from aml_magics.model.resources import RunStatus
from tests.embedded.runner_world import World, serving, step, until


@pytest.fixture
def world(tmp_path):
    with World(tmp_path) as world:
        yield world


@contextmanager
def dask_executor():
    from distributed import Client, LocalCluster

    with (
        mock.patch.dict(os.environ),  # a nanny leaves what it sets for its worker in its own environment
        LocalCluster(
            processes=True,
            n_workers=1,
            threads_per_worker=2,
            dashboard_address="127.0.0.1:0",  # None is port 8787, and a warning when that is taken
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client.get_executor()


def test_steps_run_on_a_process_pool(world):
    async def scenario():
        run_id = world.add(step("a", "echo 1 > ${{outputs.out}}/n"), step("b", "cat ${{inputs.from_a}}/n", "a"))
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            async with serving(world.runner(executor=pool)):
                assert (await world.ended(run_id))[run_id].status is RunStatus.FINISHED
        assert world.log(run_id, "b") == "1\n"

    asyncio.run(scenario())


def test_steps_run_on_a_dask_cluster_and_are_canceled_there(world):
    async def scenario():
        run_id = world.add(step("a", "echo 1 > ${{outputs.out}}/n"), step("b", "cat ${{inputs.from_a}}/n", "a"))
        stays = world.add(step("c", f"echo $PPID > {world.root}/c; {world.pause('c')}"))
        with dask_executor() as executor:
            async with serving(world.runner(executor=executor)) as runner:
                assert (await world.ended(run_id))[run_id].status is RunStatus.FINISHED
                await world.is_up("c")
                supervisor = psutil.Process(int(world.mark("c").read_text()))
                assert supervisor.ppid() != psutil.Process().pid
                await runner.cancel(stays)
                assert (await world.ended(stays))[stays].status is RunStatus.CANCELED
                await until(lambda: not supervisor.is_running())
        assert world.log(run_id, "b") == "1\n"

    asyncio.run(scenario())


def test_a_dask_worker_that_is_killed_takes_its_step_with_it_and_the_step_is_not_run_again(world):
    async def scenario():
        run_id = world.add(step("a", f"echo x >> {world.root}/times; echo $PPID > {world.root}/a; {world.pause('a')}"))
        with dask_executor() as executor:
            async with serving(world.runner(executor=executor)):
                await world.is_up("a")
                supervisor = psutil.Process(int(world.mark("a").read_text()))
                supervisor.parent().kill()
                run = (await world.ended(run_id))[run_id]
                await until(lambda: not supervisor.is_running())
        assert run.status is RunStatus.FAILED
        assert "the worker that ran it was lost" in run.status_detail
        assert world.mark("times").read_text() == "x\n"

    asyncio.run(scenario())
