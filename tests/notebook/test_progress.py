"""Long work says that it goes on, after a second, in one line; quick work says nothing."""

from __future__ import annotations

import pytest

from aml_magics.notebook import progress as progress_module
from aml_magics.notebook.progress import Progress, notebook_line


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def said():
    """The texts that the line showed, in their order."""
    return []


def made(clock, said, words="Uploading"):
    return Progress(words, lambda: said.append, monotonic=clock)


def test_work_of_less_than_a_second_says_nothing(clock, said):
    with made(clock, said) as progress:
        for step in range(100):
            progress.step(step, 100, "files")
            clock.now += 0.009
    assert said == []


def test_longer_work_says_once_a_second_how_far_it_is_and_at_the_end_how_long_it_took(clock, said):
    with made(clock, said) as progress:
        for step in range(12):
            progress.step(step, 12, "files")
            clock.now += 0.25
    assert said == [
        "Uploading: 4 of 12 files, 1 s …",
        "Uploading: 8 of 12 files, 2 s …",
        "Uploading: 11 of 12 files, done after 3 s",
    ]


def test_the_end_of_what_was_interrupted_is_told_and_the_interrupt_goes_on(clock, said):
    def work():
        with made(clock, said, "Waiting") as progress:
            clock.now += 125
            progress.beat()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert said == ["Waiting: 2 min 5 s …", "Waiting: stopped after 2 min 5 s"]


def test_hours_are_told_without_seconds_and_odd_words_on_one_line(clock, said):
    with made(clock, said, "a\nb") as progress:
        clock.now += 3725
        progress.beat()
    assert said[0] == "a\\nb: 1 h 2 min …"


def test_there_is_no_line_where_there_is_no_notebook(capsys):
    notebook_line()("nothing")
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def impatient(monkeypatch, said):
    """Everything takes long, and what is said is kept."""
    monkeypatch.setattr(progress_module, "_PATIENCE", 0.0)
    monkeypatch.setattr("aml_magics.notebook.call.Progress", lambda words, _line: Progress(words, lambda: said.append))
    return said


def test_the_verbs_that_may_take_long_say_so(aml, folder, impatient):
    (folder / "data").mkdir()
    for name in "abc":
        (folder / "data" / name).write_text(name)
    aml("pipeline publish slow", "import time; time.sleep(0.6)")
    aml("datastore upload data")
    aml("datastore download data copy")
    run = aml("pipeline submit slow")
    aml("run wait {run}", run=run)
    for beginning in (
        "Uploading to workspaceblobstore: 1 of 3 files",
        "Downloading from workspaceblobstore: 2 of 3 files",
        f"Waiting for the run {run.id}: 0 s …",
        f"Waiting for the run {run.id}: done after",
    ):
        assert any(text.startswith(beginning) for text in impatient), (beginning, impatient)
