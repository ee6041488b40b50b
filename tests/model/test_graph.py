"""A definition that exists can be run: everything else is refused in one line that names the place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.model.errors import InvalidInput
from aml_magics.model.graph import (
    CODE_LIMIT,
    Literal,
    PipelineDefinition,
    PipelineInput,
    StepDefinition,
    StepOutput,
    order,
)
from aml_magics.model.resources import DataPath, DataPathParameter, Parameter


def step(name: str, *needs: str, **fields) -> StepDefinition:
    inputs = {f"from_{other}".replace("-", "_"): StepOutput(other, "out") for other in needs}
    return StepDefinition(name=name, command=f"echo {name}", inputs=inputs, outputs=("out",), **fields)


def pipeline(*steps: StepDefinition, **fields) -> PipelineDefinition:
    return PipelineDefinition(name="p", steps=steps, **fields)


def refusal(make, *args, **fields) -> str:
    with pytest.raises(InvalidInput) as caught:
        make(*args, **fields)
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_whole_pipeline_keeps_what_it_was_given():
    train = StepDefinition(
        name="train",
        command="python train.py --rate ${{inputs.rate}} --data ${{inputs.data}} --out ${{outputs.model}}",
        code={"train.py": b"", "lib/util.py": b"x"},
        inputs={"rate": PipelineInput("learning_rate"), "data": PipelineInput("input_data"), "n": Literal(3)},
        outputs=("model",),
        environment_variables={"A": "1"},
        timeout=5,
    )
    score = StepDefinition(name="score", command="echo ${{inputs.m}}", inputs={"m": StepOutput("train", "model")})
    made = pipeline(
        score,
        train,
        parameters=(Parameter("learning_rate", 0.1),),
        data_paths=(DataPathParameter("input_data", DataPath("workspaceblobstore", "incoming")),),
    )
    assert [one.name for one in made.steps] == ["score", "train"]
    assert order(made.steps) == {"train": frozenset(), "score": frozenset({"train"})}
    assert list(order(made.steps)) == ["train", "score"]


def test_steps_that_do_not_need_each_other_stay_in_the_order_they_were_written():
    steps = [step("c"), step("a"), step("b", "c"), step("d")]
    assert list(order(steps)) == ["c", "a", "d", "b"]


@pytest.mark.parametrize("name", ["", "1st", "my step", "a/b", "..", "a.b", "-x", "é", "a" * 101, "a\n"])
def test_a_step_name_must_be_fit_for_a_folder_and_an_expression(name):
    assert repr(name) in refusal(step, name)


def test_a_step_without_a_command_is_refused():
    assert "step 'train': it has no command" in refusal(StepDefinition, name="train", command="  ")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("x ${{inputs.lerning_rate}}", "Did you mean 'learning_rate'?"),
        ("x ${{outputs.modell}}", "Did you mean 'model'?"),
        ("x ${{parent.inputs.learning_rate}}", "a command cannot use ${{parent.inputs.learning_rate}}"),
        ("x ${{search_space.lr}}", "a command cannot use"),
        ("x ${{}}", "a command cannot use ${{}}"),
        ("x ${{inputs.learning_rate", "is not closed"),
        ("x $[[--rate ${{inputs.learning_rate}}]]", "$[[...]]"),
        ("x `echo ${{inputs.learning_rate}}`", 'Use "$AZURE_ML_INPUT_learning_rate" instead'),
    ],
)
def test_an_expression_that_a_command_cannot_use_is_named(command, said):
    line = refusal(
        StepDefinition,
        name="train",
        command=command,
        inputs={"learning_rate": Literal(1)},
        outputs=("model",),
    )
    assert line.startswith("step 'train': ")
    assert said in line


def test_inputs_outputs_and_parameters_are_identifiers_and_there_once():
    assert "'a-b' cannot be the name of an input" in refusal(
        StepDefinition, name="s", command="x", inputs={"a-b": Literal(1)}
    )
    assert "two outputs are called 'o'" in refusal(StepDefinition, name="s", command="x", outputs=("o", "o"))
    twice = {"parameters": (Parameter("x", 1),), "data_paths": (DataPathParameter("x"),)}
    assert "two pipeline inputs are called 'x'" in refusal(pipeline, step("s"), **twice)
    assert refusal(pipeline, step("s"), parameters=(Parameter("a b", 1),)) == (
        "'a b' cannot be the name of a parameter. Use letters, digits and _, and begin with a letter."
    )
    assert "'a b' cannot be the name of a data path" in refusal(
        pipeline, step("s"), data_paths=(DataPathParameter("a b"),)
    )
    assert "3 cannot be the name of a parameter" in refusal(pipeline, step("s"), parameters=(Parameter(3, 1),))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", "", ".", "..", "a\\b", "a\0b"]
)
def test_code_cannot_leave_its_folder(path):
    assert "its code has a file at" in refusal(step, "s", code={path: b""})


def test_a_file_cannot_also_be_a_folder():
    assert "'a' both as a file and as a folder" in refusal(step, "s", code={"a": b"", "a/b/c": b""})


def test_too_much_code_is_refused_with_its_size():
    half = bytes(CODE_LIMIT // 2)
    step("s", code={"a": half, "b": half})
    line = refusal(step, "s", code={"a": half, "b": half, "c": b"x" * 2**20})
    assert line == (
        "step 's': its code is 21.0 MiB; the limit is 20 MiB a step. "
        "Keep data out of the code folder: put it on a datastore."
    )


def test_environment_variables_are_names_and_plain_text():
    assert "'A=B' cannot be" in refusal(step, "s", environment_variables={"A=B": ""})
    assert "holds an expression" in refusal(step, "s", environment_variables={"A": "${{inputs.x}}"})
    assert "NUL" in refusal(step, "s", environment_variables={"A": "a\0"})


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan"), "1h", True, [5]])
def test_a_timeout_is_a_number_of_seconds(seconds):
    assert f"its timeout is {seconds!r}" in refusal(step, "s", timeout=seconds)


def test_a_pipeline_has_a_name_and_a_step():
    assert "needs a name" in refusal(PipelineDefinition, name=" ", steps=(step("s"),))
    assert "pipeline 'p' has no steps" in refusal(pipeline)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (3, "3 cannot be a pipeline's name"),
        (None, "None cannot be a pipeline's name"),
        ("a\nb", r"'a\nb' cannot be a pipeline's name"),
        ("a\0", "cannot be a pipeline's name"),
        ("a" * 256, "has 256 characters. Use at most 255"),
    ],
)
def test_a_pipelines_name_is_short_text_on_one_line(name, said):
    assert said in refusal(PipelineDefinition, name=name, steps=(step("s"),))


def test_a_pipelines_name_may_have_255_characters_of_any_script():
    assert PipelineDefinition(name="é" * 255, steps=(step("s"),)).name == "é" * 255


@pytest.mark.parametrize("default", [[1], None, b"x", {}, 1j])
def test_a_parameters_default_has_one_of_the_four_types(default):
    line = refusal(pipeline, step("s"), parameters=(Parameter("rate", default),))
    assert line.startswith(f"parameter 'rate': its default {default!r} is neither text, a number, true nor false")


@pytest.mark.parametrize("default", [float("nan"), float("inf"), float("-inf")])
def test_a_parameters_default_is_a_finite_number(default):
    line = refusal(pipeline, step("s"), parameters=(Parameter("rate", default),))
    assert line.startswith(f"parameter 'rate': its default {default} is no finite number")


@pytest.mark.parametrize("field", ["description", "version"])
def test_what_is_said_about_a_pipeline_is_text(field):
    assert f"its {field} 3 is not text" in refusal(pipeline, step("s"), **{field: 3})


def test_whether_a_pipeline_goes_on_after_a_failure_is_yes_or_no():
    line = refusal(pipeline, step("s"), continue_on_step_failure="yes")
    assert "continue_on_step_failure: 'yes' is neither True nor False" in line


@pytest.mark.parametrize("fields", [{"name": 3, "command": "x"}, {"name": "s", "command": 3}])
def test_a_step_that_is_not_written_in_text_is_refused(fields):
    assert refusal(StepDefinition, **fields)


def test_two_steps_cannot_share_a_name_nor_a_folder_on_a_disk_that_ignores_case():
    assert "two steps are called 'train' and 'train'" in refusal(pipeline, step("train"), step("train"))
    assert "two steps are called 'train' and 'Train'" in refusal(pipeline, step("train"), step("Train"))


def test_references_that_lead_nowhere_are_named_with_the_nearest():
    bad = StepDefinition(name="s", command="x", inputs={"i": PipelineInput("rate")})
    line = refusal(pipeline, bad, parameters=(Parameter("rates", 1),))
    assert line == (
        "step 's': input 'i' takes ${{parent.inputs.rate}}, but the pipeline has no such input. Did you mean 'rates'?"
    )
    bad = StepDefinition(name="s", command="x", inputs={"i": StepOutput("trian", "out")})
    assert "step 'trian', which is not there. Did you mean 'train'?" in refusal(pipeline, bad, step("train"))
    bad = StepDefinition(name="s", command="x", inputs={"i": StepOutput("train", "ou")})
    assert "has no such output. Did you mean 'out'?" in refusal(pipeline, bad, step("train"))


def test_a_circle_of_steps_is_named_step_by_step():
    line = refusal(pipeline, step("a", "c"), step("b", "a"), step("c", "b"), step("free"))
    circle = line.split(": ")[1].split(". ")[0].split(" -> ")
    assert circle[0] == circle[-1]
    assert sorted(circle[:-1]) == ["a", "b", "c"]
    assert "wait for each other: s -> s" in refusal(pipeline, step("s", "s"))


@st.composite
def graphs(draw) -> list[StepDefinition]:
    names = [f"s{index}" for index in range(draw(st.integers(1, 8)))]
    needs = {name: draw(st.sets(st.sampled_from(names[:index] or names[:1]))) for index, name in enumerate(names)}
    needs[names[0]] = set()
    return draw(st.permutations([step(name, *sorted(needs[name])) for name in names]))


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_whatever_the_order_they_are_written_in_every_step_comes_after_what_it_needs(steps):
    ordered = order(steps)
    assert sorted(ordered) == sorted(one.name for one in steps)
    seen: set[str] = set()
    for name, needed in ordered.items():
        assert needed <= seen
        seen.add(name)
