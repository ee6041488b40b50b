"""Time limits by a clock that is handed in, and groups of tasks that end as one error."""

from __future__ import annotations

import asyncio

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.workflows.workspace import LateError, one_error, within
from tests.support.clock import FakeClock


def test_work_that_is_done_in_time_gives_its_result_and_leaves_no_alarm():
    clock = FakeClock()

    async def go():
        task = asyncio.ensure_future(within(clock, 60, asyncio.sleep(0, "done")))
        await clock.pass_time(0)
        return await task

    assert asyncio.run(go()) == "done"
    assert clock.sleeping() == 0


def test_work_that_takes_too_long_is_cancelled_and_its_clean_up_is_waited_for():
    clock = FakeClock()
    cleaned_up = []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned_up.append(True)

    async def go():
        task = asyncio.ensure_future(within(clock, 60, work()))
        await clock.pass_time(60)
        with pytest.raises(LateError):
            await task

    asyncio.run(go())
    assert cleaned_up == [True]


def test_what_the_work_raises_is_raised():
    async def fails():
        raise InvalidInput("wrong")

    with pytest.raises(InvalidInput, match="wrong"):
        asyncio.run(within(FakeClock(), 60, fails()))


def test_a_group_ends_as_the_first_error_in_it_however_deep():
    with pytest.raises(InvalidInput, match="first"), one_error():
        raise BaseExceptionGroup("", [BaseExceptionGroup("", [InvalidInput("first")]), ValueError("second")])
