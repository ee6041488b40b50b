"""One step of one run as a real process: ``run_step`` takes a ``StepSpec`` and returns a ``StepResult``.

It is a plain function of plain values, so that any executor can run it: a thread of this process, another process, a
Dask worker that sees the same files. It blocks until the step has ended and does not raise for what can go wrong with a
step (no interpreter, no code, a command that cannot start): that is a failed step with a reason. The process itself is
started and ended by ``supervisor.py``.

A step owns one folder, ``<runs>/<run id>/<step name>/``::

    std_log.txt     standard output and error, as they come
    code/           its copy of the code, and its current folder
    outputs/NAME/   one folder for each output
    started         exists once it was started: an executor that retries lost work cannot run a step twice
    cancel          whoever creates it, in whichever process, ends the step
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from aml_magics.model.resources import StepStatus
from aml_magics.model.secret import TOKEN_VARIABLE

__all__ = [
    "INTERRUPTED",
    "LOG",
    "StepResult",
    "StepSpec",
    "output_folder",
    "request_cancel",
    "run_step",
    "step_folder",
    "was_started",
]

LOG, CODE, OUTPUTS, STARTED, CANCEL = "std_log.txt", "code", "outputs", "started", "cancel"
GRACE = 2.0  # seconds between SIGTERM and SIGKILL
INTERRUPTED = "interrupted: the kernel that ran it ended"
_SUPERVISOR = str(Path(__file__).with_name("supervisor.py"))
_TAIL = 4096  # bytes of the log in which its last line is looked for

# What is the kernel's own. ipykernel sets most of it for its output; a step writes to a file: no colours, no inline
# figures. And the token of a served workspace, this one's or another, is not for whatever a step runs and logs.
_KERNEL_VARIABLES = (
    TOKEN_VARIABLE,
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
    "PYDEVD_USE_FRAME_EVAL",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """All there is to know to run a step. ``folder`` is its own; ``code`` is copied from, or ``""`` for none.

    ``command`` is shell text. ``environment`` is added to that of the process that runs the step. ``python`` is the
    interpreter that the word ``python`` means in the command. ``timeout`` and ``grace`` are in seconds.
    """

    folder: str
    command: str
    code: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    python: str = sys.executable
    timeout: float | None = None
    grace: float = GRACE


@dataclass(frozen=True, slots=True)
class StepResult:
    """``status`` is Finished, Failed or Canceled; ``exit_code`` is a negative signal or ``None`` if nothing ran."""

    status: StepStatus
    exit_code: int | None = None
    detail: str = ""


def step_folder(runs_folder: Path, run_id: str, step_name: str) -> Path:
    """The folder that a step owns; its log is ``std_log.txt`` there."""
    return runs_folder / run_id / step_name


def output_folder(folder: Path, name: str) -> Path:
    """The folder of an output, in the folder of the step that writes it."""
    return folder / OUTPUTS / name


def request_cancel(folder: Path) -> None:
    """End the step of that folder within about a tenth of a second plus its grace; it need not have started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CANCEL).touch()


def was_started(folder: Path) -> bool:
    """Whether somebody has begun to run the step of that folder."""
    return (folder / STARTED).exists()


def run_step(spec: StepSpec) -> StepResult:
    """Run the step to its end. Never raises for what can go wrong with a step."""
    folder = Path(spec.folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not _mark_started(folder):
            return _failed("it was started before, and the worker that ran it was lost")
        _prepare(spec, folder)
        if (folder / CANCEL).exists():
            return StepResult(StepStatus.CANCELED, detail="canceled before it started")
        return _supervise(spec, _request(spec, folder))
    except (OSError, ValueError) as error:
        return _failed(f"it could not be started: {error}")


def _mark_started(folder: Path) -> bool:
    try:
        (folder / STARTED).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _prepare(spec: StepSpec, folder: Path) -> None:
    for name in spec.outputs:
        output_folder(folder, name).mkdir(parents=True, exist_ok=True)
    if not spec.code:
        (folder / CODE).mkdir(exist_ok=True)
    elif Path(spec.code).is_dir():
        shutil.copytree(spec.code, folder / CODE, symlinks=True, dirs_exist_ok=True)
    else:
        raise ValueError(f"its code folder {spec.code} is not there")
    if not os.access(spec.python, os.X_OK):
        raise ValueError(f"there is no Python interpreter at {spec.python!r}")


def _request(spec: StepSpec, folder: Path) -> bytes:
    """The bytes that the supervisor reads. Raises ``ValueError`` for text that no process can be given."""
    timeout = "" if spec.timeout is None else str(spec.timeout)
    places = [str(folder / CODE), str(folder / LOG), str(folder / CANCEL)]
    numbers = [timeout, str(spec.grace), str(os.getpid())]
    variables = [f"{name}={value}" for name, value in _environment(spec, folder).items()]
    fields = [*places, *numbers, spec.command, *variables]
    for text in fields:
        if "\0" in text:
            raise ValueError(f"a NUL character cannot be given to a process: {text[:60]!r}")
    data = b"\0".join(map(os.fsencode, fields))
    return b"%d\n" % len(data) + data


def _environment(spec: StepSpec, folder: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in _KERNEL_VARIABLES}
    if inherited.get("MPLBACKEND", "").startswith("module://"):
        del inherited["MPLBACKEND"]
    environment = {**inherited, "PYTHONUNBUFFERED": "1", **spec.environment}
    path = environment.get("PATH", os.defpath)
    return {**environment, "PATH": f"{_python_folder(spec.python, folder)}{os.pathsep}{path}"}


def _python_folder(python: str, folder: Path) -> Path:
    """The folder in which ``python`` is the given interpreter: its own one, or a small one made for the step."""
    own = Path(python).parent
    if (own / "python").exists() and (own / "python").samefile(python):
        return own
    made = folder / "bin"
    made.mkdir(exist_ok=True)
    for name in ("python", "python3"):  # a link would not do: a virtual environment is found by the path as called
        (made / name).write_text(f'#!/bin/sh\nexec {shlex.quote(python)} "$@"\n')
        (made / name).chmod(0o755)
    return made


def _supervise(spec: StepSpec, request: bytes) -> StepResult:
    command = [sys.executable, "-I", "-S", _SUPERVISOR]
    with (
        Path(spec.folder, LOG).open("ab") as errors,
        subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=spec.folder,
            start_new_session=True,
        ) as supervisor,
    ):
        return _result(dict(_converse(supervisor.stdin, supervisor.stdout, request)), spec)


def _converse(to: IO[bytes] | None, answers: IO[bytes] | None, request: bytes) -> Iterator[tuple[str, str]]:
    """Send the request and leave the pipe open for as long as there are answers: its end would end the step."""
    if to is None or answers is None:
        return
    with suppress(BrokenPipeError):  # then there is no answer either
        to.write(request)
        to.flush()
    for line in answers:
        word, _, rest = line.decode(errors="replace").strip().partition(" ")
        yield word, rest


def _result(answers: Mapping[str, str], spec: StepSpec) -> StepResult:
    if "failed" in answers:
        return _failed(f"it could not be started: {answers['failed']}")
    code = next((int(answers[word]) for word in ("exited", "canceled", "timeout", "stopped") if word in answers), None)
    if code is None:
        if "group" in answers:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(int(answers["group"]), signal.SIGKILL)
        return _failed("its supervisor was killed")
    if "canceled" in answers:
        return StepResult(StepStatus.CANCELED, code, "canceled")
    if "timeout" in answers:
        return StepResult(StepStatus.FAILED, code, f"timed out: its limit is {spec.timeout:g} s")
    if "stopped" in answers:
        return StepResult(StepStatus.FAILED, code, INTERRUPTED)
    if code == 0:
        return StepResult(StepStatus.FINISHED, code)
    return StepResult(StepStatus.FAILED, code, _why(code, Path(spec.folder, LOG)))


def _why(code: int, log: Path) -> str:
    ended = f"ended by signal {-code} ({_signal_name(-code)})" if code < 0 else f"exit code {code}"
    if code > 128 and _signal_name(code - 128):
        ended += f" (signal {code - 128}, {_signal_name(code - 128)})"
    last = _last_line(log)
    return f"{ended}; the last line of its log: {last}" if last else ended


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        lines = file.read().decode(errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")


def _failed(detail: str) -> StepResult:
    return StepResult(StepStatus.FAILED, detail=" ".join(detail.split()))
