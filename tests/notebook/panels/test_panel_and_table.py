"""What a panel and its table owe each other: an end, and names of rows."""

from __future__ import annotations

import re

import pytest

from tests.notebook.panels.conftest import gesture, until


def test_a_panel_ends_with_its_table(ws):
    panel = ws.panel("schedules")
    panel.table.close()
    assert panel.is_closed
    until(panel._life.done)


def test_runs_of_one_pipeline_are_told_apart_by_their_names(ws):
    ws.pipelines.publish(source="1", name="train")
    runs = [ws.pipelines.submit("train") for _twice in range(2)]
    panel = ws.panel("runs")
    rows = panel.table.picture()["rows"]
    assert {rows[run.id][2] for run in runs} == {f"train, run {run.id[:8]}" for run in runs}
    gesture(panel, "open", key=runs[0].id)
    assert panel.table.snapshot().names[0][0].startswith("train, run ")
    for run in runs:
        ws.runs.wait(run.id, timeout=60)


@pytest.mark.parametrize("name", ["overview", "pipelines", "schedules", "runs"])
def test_the_first_instant_is_in_sight_in_a_window_of_500_pixels(ws, name):
    left_by_jupyterlab, font = 376, 13
    table = ws.panel(name).table
    found = re.findall(r"calc\(([\d.]+)em - ([\d.]+)em", table.spec()["layout"])
    widths = [float(wide) - float(less) for wide, less in found]
    kinds = [column.kind for column in table.columns]
    buttons = max((len(action.label) * 0.6 + 2.4 for action in table.actions), default=0)
    assert (sum(widths[: kinds.index("time") + 1]) + buttons) * font <= left_by_jupyterlab
