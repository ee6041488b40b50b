"""A class of thirty on one teacher's workspace: everybody works at once, and nobody notices the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from aml_magics.model.secret import Secret
from aml_magics.session import Session
from tests.support.planted import planted

PUPILS = 30


@pytest.fixture
def served(tmp_path):
    session = Session()
    session.connect(tmp_path)
    yield session.serve(token=Secret(planted("class-token")))
    session.close()


def lesson(served, number: int) -> list[str]:
    """What one of them does, and sees of it."""
    session = Session()
    try:
        ws = session.connect(served.url, token=served.token)
        name = f"pupil-{number}"
        ws.pipelines.publish(source=f"print('I am {number}')", name=name)
        ws.schedules.create(
            name=name, pipeline=name, experiment_name=name, every="day", start_time="2090-01-01T00:00:00"
        )
        run = ws.runs.wait(ws.pipelines.submit(name, experiment_name=name).id, timeout=120)
        (step,) = ws.runs.steps(run.id)
        ws.schedules.disable(name)
        return [str(run.status), ws.runs.logs(run.id, step=step.name).strip(), str(ws.schedules.get(name).status)]
    finally:
        session.close()


def test_thirty_work_on_one_served_workspace_at_once(served):
    with ThreadPoolExecutor(PUPILS) as room:
        seen = list(room.map(lambda number: lesson(served, number), range(PUPILS)))
    assert seen == [["Finished", f"I am {number}", "Disabled"] for number in range(PUPILS)]
