"""A cell of Python is a pipeline of one step."""

from __future__ import annotations

import pytest

from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import PipelineInput
from aml_magics.model.resources import DataPathParameter, Parameter
from aml_magics.wire.pipeline_cell import pipeline_from_source


def test_each_parameter_and_data_path_is_an_argument():
    made = pipeline_from_source(
        "print('é')\n",
        name="train it!",
        parameters=(Parameter("learning_rate", 0.1),),
        data_paths=(DataPathParameter("input_data"),),
        description="d",
        version="2",
        continue_on_step_failure=True,
        timeout=3,
    )
    (step,) = made.steps
    assert (
        step.command == "python step.py --learning_rate ${{inputs.learning_rate}} --input_data ${{inputs.input_data}}"
    )
    assert step.code == {"step.py": "print('é')\n".encode()}
    assert step.inputs == {"learning_rate": PipelineInput("learning_rate"), "input_data": PipelineInput("input_data")}
    assert (step.name, step.timeout) == ("train_it", 3)
    assert (made.name, made.description, made.version, made.continue_on_step_failure) == ("train it!", "d", "2", True)
    assert [one.name for one in (*made.parameters, *made.data_paths)] == ["learning_rate", "input_data"]


@pytest.mark.parametrize(
    ("pipeline", "step"), [("train", "train"), ("2nd", "step_2nd"), ("日本", "step"), ("-a-", "a"), ("a b", "a_b")]
)
def test_the_step_is_called_like_the_pipeline_as_far_as_a_step_can_be(pipeline, step):
    assert pipeline_from_source("pass", name=pipeline).steps[0].name == step


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\ny = = 2\n", "line 2: invalid syntax (y = = 2)"),
        ("\n\n%matplotlib inline\n", "leave out lines that begin with % or !"),
        ("!pip install x", "line 1: invalid syntax"),
        ("def f():\nreturn 1", "line 2: expected an indented block"),
        ("await x", "asyncio.run"),
        ("return 1", "'return' outside function"),
        (" \n", "the cell is empty"),
        ("a\0", "cannot be compiled"),
        ("'\ud800'", "cannot be compiled"),
        ("(" * 10_000, "line 1: "),
    ],
)
def test_python_that_does_not_compile_is_refused_with_its_line(source, said):
    with pytest.raises(InvalidInput) as caught:
        pipeline_from_source(source, name="p")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lines_are_counted_from_where_the_source_stands():
    with pytest.raises(InvalidInput, match=r"^line 3: invalid syntax"):
        pipeline_from_source("x = 1\ny = = 2", name="p", first_line=2)


def test_the_steps_own_warnings_are_no_business_of_publishing():
    pipeline_from_source(r"x = '\d' is 1", name="p")


def test_the_source_is_not_compiled_under_our_own_future_imports():
    with pytest.raises(InvalidInput, match="line 1"):
        pipeline_from_source("from __future__ import braces", name="p")
    pipeline_from_source("def f(x: (y := 1)): ...", name="p")  # not with ``from __future__ import annotations``
