"""A step is a real process: it gets exactly what it was given, and it ends when it has to."""

from __future__ import annotations

import ast
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

import psutil
import pytest

from aml_magics.embedded import supervisor
from aml_magics.embedded.step import (
    INTERRUPTED,
    LOG,
    StepResult,
    StepSpec,
    output_folder,
    request_cancel,
    run_step,
    step_folder,
)
from aml_magics.model.resources import StepStatus
from tests.support.planted import planted
from tests.support.processes import is_gone

LONG = "sleep 300"


def wait_until(condition: Callable[[], object], what: str = "", seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what or condition}"
        time.sleep(0.01)


def run(tmp_path: Path, command: str, **fields) -> StepResult:
    fields = {"environment": {"MARKER": "here"}, "grace": 0.5} | fields
    return run_step(StepSpec(folder=str(tmp_path / "step"), command=command, **fields))


def log(tmp_path: Path) -> str:
    return (tmp_path / "step" / LOG).read_text()


class InThread:
    """A step under way; leaving the block waits for its result."""

    def __init__(self, tmp_path: Path, command: str, **fields) -> None:
        self.folder = tmp_path / "step"
        self._pool = ThreadPoolExecutor(1)
        self.future: Future[StepResult] = self._pool.submit(run, tmp_path, command, **fields)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        request_cancel(self.folder)
        self._pool.shutdown()

    def pid(self, name: str) -> psutil.Process:
        """The process that wrote its id to a file in the step's current folder."""
        path = self.folder / "code" / name
        wait_until(lambda: path.exists() and path.read_text().endswith("\n"), f"{path} or {self.future}")
        return psutil.Process(int(path.read_text()))

    def result(self) -> StepResult:
        return self.future.result(20)


def test_the_exit_code_decides(tmp_path):
    assert run(tmp_path / "a", "true") == StepResult(StepStatus.FINISHED, 0, "")
    assert run(tmp_path / "b", "exit 3") == StepResult(StepStatus.FAILED, 3, "exit code 3")


def test_a_failure_says_the_last_line_of_the_log(tmp_path):
    result = run(tmp_path, "echo first; echo 'ValueError: boom' >&2; echo; exit 1")
    assert result.detail == "exit code 1; the last line of its log: ValueError: boom"


def test_death_by_a_signal_is_named(tmp_path):
    assert run(tmp_path / "a", "kill -9 $$") == StepResult(StepStatus.FAILED, -9, "ended by signal 9 (SIGKILL)")
    shell = run(tmp_path / "b", "sh -c 'kill -SEGV $$'; code=$?; exit $code")
    assert shell.exit_code == 139
    assert "(signal 11, SIGSEGV)" in shell.detail


def test_output_and_errors_go_to_one_log_in_the_order_they_were_written(tmp_path):
    run(tmp_path, "echo one; echo two >&2; echo three")
    assert log(tmp_path) == "one\ntwo\nthree\n"


def test_the_log_can_be_read_while_the_step_runs(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    program = "import os, time\nprint('hello')\nwhile not os.path.exists('go'): time.sleep(0.01)\nprint('bye')"
    with InThread(tmp_path, f'python -c "{program}"') as step:
        wait_until(lambda: (step.folder / LOG).exists() and log(tmp_path) == "hello\n", "the first line")
        assert not step.future.done()
        (step.folder / "code" / "go").touch()
        assert step.result().status is StepStatus.FINISHED
    assert log(tmp_path) == "hello\nbye\n"


def test_values_of_the_environment_come_through_exactly(tmp_path):
    values = {"A": "", "B": " a  b ", "C": "'\"$HOME`id`\\", "D": "two\nlines\n", "E": "😀é", "F": "a=b=c", "G": "-rf"}
    program = "import os, sys; sys.stdout.write(repr([os.environ[name] for name in 'ABCDEFG']))"
    assert run(tmp_path, f'python -c "{program}"', environment=values).status is StepStatus.FINISHED
    assert ast.literal_eval(log(tmp_path)) == list(values.values())


def test_the_environment_of_the_worker_is_inherited_but_for_what_the_kernel_set_for_itself(tmp_path, monkeypatch):
    monkeypatch.setenv("STEP_INHERITS", "yes")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("FORCE_COLOR", "1")
    run(tmp_path, 'echo "$STEP_INHERITS|$MPLBACKEND|$FORCE_COLOR"')
    assert log(tmp_path) == "yes||\n"
    monkeypatch.setenv("MPLBACKEND", "svg")
    run(tmp_path / "b", 'echo "$MPLBACKEND"')
    assert log(tmp_path / "b") == "svg\n"


def test_the_token_of_a_served_workspace_is_not_given_to_steps(tmp_path, monkeypatch):
    monkeypatch.setenv("AML_MAGICS_TOKEN", planted("the-token-of-the-kernel"))
    run(tmp_path, 'env; echo "none: $AML_MAGICS_TOKEN."')
    assert log(tmp_path).endswith("none: .\n")
    assert planted("the-token-of-the-kernel") not in log(tmp_path)


def test_python_means_the_interpreter_that_was_named(tmp_path):
    for word in ("python", "python3"):
        run(tmp_path / word, f"{word} -c 'import sys; print(sys.prefix)'")
        assert log(tmp_path / word) == f"{sys.prefix}\n"


def test_python_is_found_also_where_the_interpreter_has_another_name(tmp_path):
    odd = tmp_path / "it's here" / "python9"
    odd.parent.mkdir()
    odd.write_text(f'#!/bin/sh\necho odd\nexec {sys.executable} "$@"\n')
    odd.chmod(0o755)
    run(tmp_path, "python -c 'import sys; print(sys.argv[1:])' 'a b' '$c'", python=str(odd))
    assert log(tmp_path) == "odd\n['a b', '$c']\n"


def test_a_step_runs_in_its_own_copy_of_its_code(tmp_path):
    code = tmp_path / "code"
    (code / "lib").mkdir(parents=True)
    (code / "lib" / "data.txt").write_text("published")
    command = "cat lib/data.txt; echo changed > lib/data.txt; pwd"
    assert run(tmp_path, command, code=str(code)).status is StepStatus.FINISHED
    assert log(tmp_path) == f"published{tmp_path / 'step' / 'code'}\n"
    assert (code / "lib" / "data.txt").read_text() == "published"


def test_the_folders_of_outputs_are_there_before_the_step_starts(tmp_path):
    folder = step_folder(tmp_path, "run-1", "train")
    assert folder == tmp_path / "run-1" / "train"
    result = run_step(StepSpec(folder=str(folder), command="ls ../outputs", outputs=("model", "report")))
    assert result.status is StepStatus.FINISHED
    assert (folder / LOG).read_text() == "model\nreport\n"
    assert output_folder(folder, "model").is_dir()


def test_standard_input_is_empty(tmp_path):
    assert run(tmp_path, "cat; read line").exit_code == 1
    assert log(tmp_path) == ""


def test_signals_that_the_kernel_ignores_are_back_to_normal_in_a_step(tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as ipykernel does between two cells
    try:
        result = run(tmp_path, "yes | head -n 1; kill -INT $$; echo survived")
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == -signal.SIGINT
    assert log(tmp_path) == "y\n"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"python": "/nowhere/python"}, "there is no Python interpreter at '/nowhere/python'"),
        ({"code": "/nowhere/code"}, "its code folder /nowhere/code is not there"),
        ({"environment": {"A": "x\0y"}}, "a NUL character cannot be given to a process: 'A=x"),
        ({"environment": {"A": "x" * 200_000}}, "Argument list too long"),
        ({"environment": {"A": "\ud800"}}, "surrogates not allowed"),
    ],
)
def test_what_cannot_start_is_a_failed_step_with_a_reason(tmp_path, fields, said):
    result = run(tmp_path, "true", **fields)
    assert result.status is StepStatus.FAILED
    assert result.exit_code is None
    assert said in result.detail
    assert "\n" not in result.detail


def test_a_supervisor_that_cannot_start_is_a_failed_step_too(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert "it could not be started: [Errno 2]" in run(tmp_path, "true", python="/bin/sh").detail


def test_a_folder_that_cannot_be_written_is_a_failed_step(tmp_path):
    (tmp_path / "step").write_text("a file")
    assert "it could not be started" in run(tmp_path, "true").detail


def test_an_unknown_command_is_a_failed_step_with_the_shells_words(tmp_path):
    result = run(tmp_path, "no-such-program")
    assert result.exit_code == 127
    assert "no-such-program" in result.detail


def test_a_timeout_ends_the_step(tmp_path):
    began = time.monotonic()
    result = run(tmp_path, LONG, timeout=0.2)
    assert result == StepResult(StepStatus.FAILED, -signal.SIGTERM, "timed out: its limit is 0.2 s")
    assert time.monotonic() - began < 10


def test_who_ignores_sigterm_is_killed_after_the_grace(tmp_path):
    program = "import os, signal, time; signal.signal(15, lambda *a: print('no', flush=True)); print('up', flush=True)"
    with InThread(tmp_path, f'exec python -c "{program}\nwhile True: time.sleep(1)"', grace=0.3) as step:
        wait_until(lambda: (step.folder / LOG).exists() and "up" in log(tmp_path), "the handler")
        request_cancel(step.folder)
        assert step.result() == StepResult(StepStatus.CANCELED, -signal.SIGKILL, "canceled")
    assert log(tmp_path) == "up\nno\n"


def test_a_step_may_clean_up_within_the_grace(tmp_path):
    program = "import signal, sys; signal.signal(15, lambda *a: sys.exit(5)); print('up'); signal.pause()"
    with InThread(tmp_path, f'exec python -c "{program}"', grace=20) as step:
        wait_until(lambda: (step.folder / LOG).exists() and "up" in log(tmp_path), "the handler")
        request_cancel(step.folder)
        assert step.result() == StepResult(StepStatus.CANCELED, 5, "canceled")


def test_cancel_ends_grandchildren_also_those_that_left_the_group(tmp_path):
    command = f"(echo $$ > outer; sh -c 'echo $$ > inner; {LONG}' & setsid sh -c 'echo $$ > away; {LONG}' & wait)"
    with InThread(tmp_path, command) as step:
        processes = [step.pid(name) for name in ("outer", "inner", "away")]
        request_cancel(step.folder)
        assert step.result().status is StepStatus.CANCELED
        assert [is_gone(process) for process in processes] == [True, True, True]


def test_what_a_step_leaves_running_ends_with_it(tmp_path):
    start = "import subprocess; subprocess.Popen(['sh', '-c', 'echo $$ > left; sleep 300'], start_new_session=True)"
    wait = "while not __import__('os').path.exists('left'): pass"
    result = run(tmp_path, f'python -c "{start}\n{wait}"; {LONG} & exit 0')
    assert result.status is StepStatus.FINISHED
    assert not psutil.pid_exists(int((tmp_path / "step" / "code" / "left").read_text()))


def test_a_step_that_was_canceled_before_it_started_never_starts(tmp_path):
    request_cancel(tmp_path / "step")
    assert run(tmp_path, "touch ran").status is StepStatus.CANCELED
    assert not (tmp_path / "step" / "code" / "ran").exists()


def test_a_step_never_runs_twice(tmp_path):
    assert run(tmp_path, "echo ran >> times").status is StepStatus.FINISHED
    again = run(tmp_path, "echo ran >> times")
    assert again == StepResult(StepStatus.FAILED, None, "it was started before, and the worker that ran it was lost")
    assert (tmp_path / "step" / "code" / "times").read_text() == "ran\n"


PARENT = """
import sys
from aml_magics.embedded.step import StepSpec, run_step
run_step(StepSpec(folder=sys.argv[1], command=sys.argv[2], grace=0.5))
"""


def test_kill_9_of_the_worker_ends_everything_below_the_step(tmp_path):
    folder = tmp_path / "step"
    command = f"echo $$ > leader; sh -c 'echo $$ > inner; {LONG}' & setsid sh -c 'echo $$ > away; {LONG}' & wait"
    with subprocess.Popen([sys.executable, "-c", PARENT, str(folder), command], start_new_session=True) as parent:
        paths = [folder / "code" / name for name in ("leader", "inner", "away")]
        wait_until(lambda: all(path.exists() and path.read_text().endswith("\n") for path in paths), "the step")
        processes = [psutil.Process(int(path.read_text())) for path in paths]
        os.killpg(parent.pid, signal.SIGKILL)  # the whole group of the kernel, as a server does it
    wait_until(lambda: all(map(is_gone, processes)), "the end of the step")


FORKING = """
import os, sys, threading, warnings
from pathlib import Path
from aml_magics.embedded.step import StepSpec, run_step
code = Path(sys.argv[1], "code")
spec = StepSpec(folder=sys.argv[1], command=sys.argv[2], grace=0.5)
threading.Thread(target=run_step, args=(spec,), daemon=True).start()
while not (code / "leader").exists():
    pass
warnings.simplefilter("ignore")
if os.fork() == 0:
    (code / "forked.part").write_text(f"{os.getpid()}\\n")
    (code / "forked.part").rename(code / "forked")
threading.Event().wait()
"""


def test_a_child_that_the_kernel_forked_does_not_keep_its_steps_alive(tmp_path):
    """It has inherited the pipe to the supervisor, which therefore does not close."""
    folder = tmp_path / "step"
    command = f"echo $$ > part; mv part leader; {LONG}"
    with subprocess.Popen([sys.executable, "-c", FORKING, str(folder), command], start_new_session=True) as parent:
        wait_until((folder / "code" / "forked").exists, "the fork")
        leader = psutil.Process(int((folder / "code" / "leader").read_text()))
        forked = psutil.Process(int((folder / "code" / "forked").read_text()))
        parent.kill()
    wait_until(lambda: is_gone(leader), "the end of the step")
    assert not is_gone(forked)
    forked.kill()


def test_an_interrupt_of_the_kernel_does_not_reach_its_steps(tmp_path):
    folder = tmp_path / "step"
    ignoring = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{PARENT}"
    command = "touch up; while [ ! -e go ]; do sleep 0.01; done; touch done"
    with subprocess.Popen([sys.executable, "-c", ignoring, str(folder), command], start_new_session=True) as parent:
        wait_until((folder / "code" / "up").exists, "the step")
        os.killpg(parent.pid, signal.SIGINT)
        (folder / "code" / "go").touch()
        assert parent.wait(20) == 0
    assert (folder / "code" / "done").exists()


def test_kill_9_of_the_supervisor_ends_the_step_and_is_a_failure(tmp_path):
    with InThread(tmp_path, f"echo $$ > leader; sh -c 'echo $$ > inner; {LONG}' & wait") as step:
        processes = [step.pid("leader"), step.pid("inner")]
        processes[0].parent().kill()
        assert step.result() == StepResult(StepStatus.FAILED, None, "its supervisor was killed")
        wait_until(lambda: all(map(is_gone, processes)), "the end of the step")


def test_the_end_of_its_input_is_enough_for_a_supervisor(tmp_path):
    """Its parent is alive here: this is the pipe alone, which tells at once."""
    fields = [
        str(tmp_path),
        str(tmp_path / LOG),
        str(tmp_path / "cancel"),
        "",
        "0.5",
        str(os.getpid()),
        f"touch up; {LONG}",
    ]
    request = "\0".join([*fields, f"PATH={os.environ['PATH']}"]).encode()
    command = [sys.executable, "-I", "-S", supervisor.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"%d\n" % len(request) + request)
        process.stdin.flush()
        wait_until((tmp_path / "up").exists, "the command")
        answers, _ = process.communicate(timeout=20)
    assert answers.decode().splitlines()[1:] == [f"stopped {-signal.SIGTERM}"]


def test_a_polite_end_of_the_supervisor_is_an_interruption(tmp_path):
    with InThread(tmp_path, f"echo $$ > leader; {LONG}") as step:
        step.pid("leader").parent().terminate()
        assert step.result() == StepResult(StepStatus.FAILED, -signal.SIGTERM, INTERRUPTED)


def test_spec_and_result_travel_to_another_process():
    spec = StepSpec(folder="/f", command="c", environment={"A": "b"}, outputs=("o",), timeout=1.5)
    result = StepResult(StepStatus.FAILED, 1, "why")
    assert pickle.loads(pickle.dumps((spec, result))) == (spec, result)


def test_many_steps_at_once_do_not_hold_each_other_up(tmp_path):
    barrier = tmp_path / "barrier"
    barrier.mkdir()
    everybody = f"touch {barrier}/$$; while [ $(ls {barrier} | wc -l) -lt 8 ]; do sleep 0.01; done"
    with ThreadPoolExecutor(8) as pool:
        specs = [StepSpec(folder=str(tmp_path / str(number)), command=everybody) for number in range(8)]
        results = list(pool.map(run_step, specs, timeout=60))
    assert [result.status for result in results] == [StepStatus.FINISHED] * 8
