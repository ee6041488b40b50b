"""A pipeline of one step from one cell of Python.

The source becomes the file ``step.py``. Each parameter and each data path is an input of the step, so the program finds
it on its command line (``--learning_rate 0.1``, what ``argparse`` reads) as well as in its environment.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import PipelineDefinition, PipelineInput, StepDefinition, check_signature

if TYPE_CHECKING:
    from aml_magics.model.resources import DataPathParameter, Parameter

__all__ = ["SCRIPT", "pipeline_from_source"]

SCRIPT = "step.py"
_LONGEST_NAME = 60


def pipeline_from_source(
    source: str,
    *,
    name: str,
    parameters: tuple[Parameter, ...] = (),
    data_paths: tuple[DataPathParameter, ...] = (),
    description: str = "",
    version: str = "",
    continue_on_step_failure: bool = False,
    timeout: float | None = None,
    first_line: int = 1,
) -> PipelineDefinition:
    """The pipeline that runs ``source``. Raises ``InvalidInput``, for Python that does not compile with the line.

    ``first_line`` is the number of the source's first line where it was written: 2 in a cell under a magic.
    """
    check_signature(name, parameters, data_paths)
    code = _checked(source, first_line)
    inputs = [parameter.name for parameter in parameters] + [path.name for path in data_paths]
    arguments = [f"--{one} ${{{{inputs.{one}}}}}" for one in inputs]
    step = StepDefinition(
        name=_step_name(name),
        command=" ".join(["python", SCRIPT, *arguments]),
        code={SCRIPT: code},
        inputs={one: PipelineInput(one) for one in inputs},
        timeout=timeout,
    )
    return PipelineDefinition(
        name=name,
        description=description,
        version=version,
        parameters=parameters,
        data_paths=data_paths,
        steps=(step,),
        continue_on_step_failure=continue_on_step_failure,
    )


def _checked(source: str, first_line: int) -> bytes:
    if not source.strip():
        raise InvalidInput("the cell is empty", hint="Write the Python of the step below the first line.")
    try:
        code = source.encode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are the step's own, and appear in its log
            compile(code, SCRIPT, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").strip()
        shown = f" ({line[:60]})" if line else ""
        place = f"line {error.lineno + first_line - 1}" if error.lineno else "the step cannot be compiled"
        raise InvalidInput(f"{place}: {error.msg}{shown}", hint=_hint(line, error.msg)) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidInput(f"the step cannot be compiled: {error}", hint="A step is plain Python.") from error
    return code


def _hint(line: str, problem: str) -> str:
    if line.startswith(("%", "!", "?")):
        return "A step runs without IPython: leave out lines that begin with % or !."
    if "await" in problem or "async" in problem:
        return "A step runs without IPython: call asyncio.run(...)."
    return "Mend that line of the step; nothing was published."


def _step_name(pipeline: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", pipeline)[:_LONGEST_NAME].strip("_-")
    return name if re.match(r"[A-Za-z_]", name) else f"step_{name}".rstrip("_")
