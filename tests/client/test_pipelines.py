"""``workspace.pipelines``: publish, submit, put in and out of use."""

import json

import numpy as np
import pytest

from aml_magics.model.errors import Conflict, InvalidInput, NotFound
from aml_magics.model.graph import PipelineDefinition, StepDefinition
from aml_magics.model.resources import DataPath, Status

YAML = """
type: pipeline
display_name: from_yaml
inputs:
  learning_rate: 0.1
jobs:
  fit:
    command: python fit.py --rate ${{inputs.rate}}
    code: ./src
    inputs:
      rate: ${{parent.inputs.learning_rate}}
"""


def published(service):
    """(pipeline's body, the step's content of the first module)."""
    return service.bodies("/Pipelines/Create")[-1], json.loads(service.modules[-1]["Properties"]["aml_magics.step"])


def code_of(service):
    return set(json.loads(service.modules[-1]["Properties"]["aml_magics.code"]))


def test_a_definition_is_published(service, ws):
    step = StepDefinition(name="fit", command="python fit.py", code={"fit.py": b"1"})
    made = ws.pipelines.publish(PipelineDefinition(name="train", steps=(step,)))
    assert made.steps == ("fit",)
    assert ws.pipelines.get("train").id == made.id


def test_python_source_becomes_a_pipeline_of_one_step(service, ws):
    made = ws.pipelines.publish(
        source="print('training')",
        name="train",
        parameters={"learning_rate": 0.1},
        data_paths=["input_data"],
        description="why",
        version="2",
        continue_on_step_failure=True,
    )
    body, step = published(service)
    assert "--learning_rate" in step["command"]
    assert "--input_data" in step["command"]
    assert (body["Description"], body["Version"], body["ContinueRunOnStepFailure"]) == ("why", "2", True)
    assert [(one.name, one.default) for one in made.parameters] == [("learning_rate", 0.1)]
    assert [(one.name, one.default) for one in made.data_paths] == [("input_data", None)]


def test_data_paths_may_have_defaults(ws):
    made = ws.pipelines.publish(source="1", name="p", data_paths={"a": "workspaceblobstore/in", "b": None})
    assert [(one.name, one.default) for one in made.data_paths] == [
        ("a", DataPath("workspaceblobstore", "in")),
        ("b", None),
    ]


def test_defaults_out_of_a_data_frame_are_numbers(ws):
    made = ws.pipelines.publish(source="1", name="p", parameters={"rate": np.float64(0.5), "epochs": np.int64(3)})
    assert [(one.name, one.default, type(one.default)) for one in made.parameters] == [
        ("rate", 0.5, float),
        ("epochs", 3, int),
    ]


def test_one_data_path_may_be_named_alone(ws):
    made = ws.pipelines.publish(source="1", name="p", data_paths="input_data")
    assert [one.name for one in made.data_paths] == ["input_data"]


def test_a_python_file_is_called_like_its_file(service, ws, tmp_path):
    (tmp_path / "train.py").write_text("print(1)")
    assert ws.pipelines.publish(file=tmp_path / "train.py").name == "train"
    assert ws.pipelines.publish(file=str(tmp_path / "train.py"), name="other").name == "other"


@pytest.mark.parametrize("name", ["pipeline.yml", "pipeline.yaml"])
def test_a_yaml_file_brings_the_code_from_beside_it(service, ws, tmp_path, name):
    (tmp_path / name).write_text(YAML)
    (tmp_path / "src" / "__pycache__").mkdir(parents=True)
    (tmp_path / "src" / "fit.py").write_text("print(1)")
    (tmp_path / "src" / "__pycache__" / "x.pyc").write_text("x")
    made = ws.pipelines.publish(file=tmp_path / name)
    assert (made.name, made.steps) == ("from_yaml", ("fit",))
    assert code_of(service) == {"fit.py"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "exactly one"),
        ({"source": "1", "file": "x.py", "name": "p"}, "exactly one"),
        ({"source": "1"}, "no name"),
        ({"source": "def", "name": "p"}, "line 1"),
        ({"source": "1", "name": "p", "data_paths": {"a": "nowhere"}}, "datastore/path"),
        ({"source": "1", "name": "p", "parameters": {"a b": 1}}, "'a b' cannot be the name of a parameter"),
        ({"source": "1", "name": "p", "parameters": {"a": [1]}}, "parameter 'a'"),
        ({"source": "1", "name": "p", "parameters": {"a": None}}, "parameter 'a'"),
        ({"source": "1", "name": "p", "parameters": {"a": float("nan")}}, "parameter 'a'.*finite"),
        ({"source": "1", "name": "p", "parameters": {"a": float("-inf")}}, "parameter 'a'.*finite"),
        ({"source": "1", "name": "p", "parameters": {"a": 10**5000}}, "more than 300 digits"),
        ({"source": "1", "name": "p", "parameters": {3: 1}}, "parameters: 3 is not a name"),
        ({"source": "1", "name": "p", "parameters": [1]}, "parameters: .*no mapping"),
        ({"source": "1", "name": "p", "data_paths": 3}, "data_paths: 3 is no mapping"),
        ({"source": "1", "name": "p", "data_paths": [3]}, "data_paths: 3"),
        ({"source": "1", "name": "p", "data_paths": ["a", "a"]}, "there twice"),
        ({"source": "1", "name": "p", "data_paths": {"a": "workspaceblobstore/../x"}}, "not a plain path"),
        ({"source": "1", "name": 3}, "3 cannot be a pipeline's name"),
        ({"source": "1", "name": "a\nb"}, "cannot be a pipeline's name"),
        ({"source": "1", "name": "  "}, "needs a name"),
        ({"source": "1", "name": "a" * 256}, "256 characters"),
        ({"source": 3, "name": "p"}, "source: 3 is not text"),
        ({"file": 3}, "file: 3"),
        ({"definition": 3}, "3 is no PipelineDefinition"),
        ({"source": "1", "name": "p", "description": 3}, "description 3 is not text"),
        ({"source": "1", "name": "p", "timeout": "1h"}, "timeout is '1h'"),
        ({"source": "1", "name": "p", "timeout": -1}, "timeout is -1"),
        ({"source": "1", "name": "p", "timeout": float("nan")}, "timeout is nan"),
        ({"source": "1", "name": "p", "continue_on_step_failure": "yes"}, "continue_on_step_failure: 'yes'"),
    ],
)
def test_what_cannot_be_published_is_refused_and_nothing_is_sent(service, ws, arguments, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        ws.pipelines.publish(**arguments)
    assert "\n" not in str(caught.value)
    assert service.requests == []


@pytest.mark.parametrize("options", [{"parameters": {"a": 1}}, {"data_paths": ["a"]}, {"timeout": 5}])
def test_a_yaml_file_says_its_inputs_and_limits_itself(ws, tmp_path, options):
    (tmp_path / "p.yml").write_text(YAML)
    with pytest.raises(InvalidInput, match=f"p.yml says {next(iter(options))} itself"):
        ws.pipelines.publish(file=tmp_path / "p.yml", **options)


def test_what_is_given_beside_a_yaml_file_counts_more_than_what_it_says(service, ws, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "fit.py").write_text("print(1)")
    (tmp_path / "p.yml").write_text(YAML)
    ws.pipelines.publish(
        file=tmp_path / "p.yml", name="n", description="d", version="9", continue_on_step_failure=False
    )
    ws.pipelines.publish(file=tmp_path / "p.yml")
    first, second = service.bodies("/Pipelines/Create")
    assert [first[key] for key in ("Name", "Description", "Version")] == ["n", "d", "9"]
    assert (first["ContinueRunOnStepFailure"], second["ContinueRunOnStepFailure"]) == (False, True)
    assert second["Name"] == "from_yaml"


def test_a_definition_says_everything_itself(service, ws):
    definition = PipelineDefinition(name="train", steps=(StepDefinition(name="fit", command="true"),))
    with pytest.raises(InvalidInput, match="says name, version itself"):
        ws.pipelines.publish(definition, name="other", version="2")
    assert service.requests == []


def test_files_that_cannot_be_read_are_one_line(ws, tmp_path):
    with pytest.raises(NotFound, match=r"no file .*nothing\.py"):
        ws.pipelines.publish(file=tmp_path / "nothing.py")
    (tmp_path / "latin.py").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InvalidInput, match="not UTF-8"):
        ws.pipelines.publish(file=tmp_path / "latin.py")
    with pytest.raises(InvalidInput, match="cannot be read"):
        ws.pipelines.publish(file=tmp_path)


def test_publishing_is_for_our_own_workspaces(azure, azure_ws):
    with pytest.raises(InvalidInput, match="embedded"):
        azure_ws.pipelines.publish(source="1", name="p")
    assert azure.requests == []


def test_a_submit_fills_in_types_and_the_experiment(service, ws):
    service.add_pipeline("train")
    run = ws.pipelines.submit("train", parameters={"learning_rate": "0.5", "epochs": 7})
    assert run.experiment_name == "train"
    assert run.parameters == {"learning_rate": 0.5, "epochs": 7}


def test_a_submit_takes_a_data_path_in_every_form(service, ws):
    pipeline = service.add_data_pipeline("score")
    path = DataPath("workspaceblobstore", "in/a.csv")
    for given in (
        {"data_paths": {"input_data": path}},
        {"data_paths": {"input_data": "workspaceblobstore/in/a.csv"}},
        {"parameters": {"input_data": path}},
    ):
        ws.pipelines.submit(pipeline, experiment_name="exp", **given)
    bodies = service.bodies(f"PipelineSubmit/{pipeline.id}")
    assert [body["DataPathAssignments"]["input_data"]["RelativePath"] for body in bodies] == ["in/a.csv"] * 3


@pytest.mark.parametrize(
    ("name", "options", "kind", "words"),
    [
        ("trian", {}, NotFound, "Did you mean 'train'?"),
        ("train", {"parameters": {"learning_rat": 1}}, InvalidInput, "Did you mean 'learning_rate'?"),
        ("train", {"parameters": {"epochs": "many"}}, InvalidInput, "epochs"),
        ("train", {"experiment_name": "a b"}, InvalidInput, "experiment_name"),
        ("score", {}, InvalidInput, "needs the data path"),
        ("score", {"data_paths": {"input_data": "nowhere/x"}}, InvalidInput, "nowhere"),
        ("score", {"data_paths": {"input_data": "workspaceblobstore/../../etc"}}, InvalidInput, "'input_data'.*plain"),
        ("score", {"data_paths": {"input_data": DataPath("workspaceblobstore", "/etc")}}, InvalidInput, "plain"),
        ("train", {"parameters": [1]}, InvalidInput, "parameters"),
        ("train", {"parameters": {1: 2}}, InvalidInput, "parameters: 1 is not a name"),
        ("train", {"description": 3}, InvalidInput, "description: 3"),
        ("train", {"continue_on_step_failure": "yes"}, InvalidInput, "continue_on_step_failure: 'yes'"),
        ("old", {}, Conflict, "enable old"),
    ],
)
def test_every_mistake_in_a_submit_is_one_line_and_nothing_is_sent(service, ws, name, options, kind, words):
    service.add_pipeline("train")
    service.add_data_pipeline("score")
    service.add_pipeline("old", status=Status.DISABLED)
    with pytest.raises(kind, match=words) as caught:
        ws.pipelines.submit(name, **options)
    assert "\n" not in str(caught.value)
    assert service.changes() == []


def test_a_pipeline_whose_name_cannot_be_an_experiments_asks_for_one(service, ws):
    service.add_pipeline("my pipeline")
    with pytest.raises(InvalidInput, match="experiment_name: 'my pipeline'"):
        ws.pipelines.submit("my pipeline")
    assert ws.pipelines.submit("my pipeline", experiment_name="exp").experiment_name == "exp"


def test_a_submit_to_azure_knows_the_types_too(azure, azure_ws):
    azure.add_pipeline("train")
    with pytest.raises(InvalidInput, match="epochs"):
        azure_ws.pipelines.submit("train", parameters={"epochs": "many"})
    assert azure.changes() == []


def test_disable_and_enable_give_the_new_state(service, ws):
    pipeline = service.add_pipeline("train")
    (change,) = ws.pipelines.disable("train")
    assert (change.value.status, change.was, change.in_words()) == (
        Status.DISABLED,
        Status.ACTIVE,
        "train: Active -> Disabled",
    )
    (again,) = ws.pipelines.disable(pipeline)
    assert (again.changed, again.in_words()) == (False, "train: Disabled already")
    assert ws.pipelines.enable(pipeline.id)[0].value.status is Status.ACTIVE
    assert service.changes() == [f"PUT /Pipelines/{pipeline.id}/status"] * 2


def test_a_pipeline_that_a_schedule_uses_cannot_be_disabled_and_the_schedule_is_named(service, ws):
    service.add_pipeline("train")
    ws.schedules.create("nightly", pipeline="train", every="day")
    with pytest.raises(Conflict, match="nightly"):
        ws.pipelines.disable("train")


def test_disabling_by_name_takes_every_publication_out_of_use(service, ws):
    old, new = service.add_pipeline("train"), service.add_pipeline("train")
    changes = ws.pipelines.disable("train")
    assert [(change.value.id, change.value.status) for change in changes] == [
        (new.id, Status.DISABLED),
        (old.id, Status.DISABLED),
    ]
    (again,) = ws.pipelines.disable("train")
    assert (again.value.id, again.changed) == (new.id, False)


def test_an_id_or_a_value_means_one_publication(service, ws):
    old, new = service.add_pipeline("train"), service.add_pipeline("train")
    assert [change.value.id for change in ws.pipelines.disable(old)] == [old.id]
    assert service.pipelines[new.id].status is Status.ACTIVE
    assert [change.value.id for change in ws.pipelines.disable(new.id[:8])] == [new.id]


def test_enabling_by_name_brings_back_the_newest_publication_alone(service, ws):
    old, new = service.add_pipeline("train"), service.add_pipeline("train", status=Status.DISABLED)
    assert [change.value.id for change in ws.pipelines.enable("train")] == [new.id]
    ws.pipelines.disable("train")
    ws.pipelines.enable("train")
    assert [service.pipelines[one.id].status for one in (old, new)] == [Status.DISABLED, Status.ACTIVE]


def test_no_publication_is_disabled_when_a_schedule_uses_one_of_them(service, ws):
    service.add_pipeline("other")
    old = service.add_pipeline("train")
    ws.schedules.create("nightly", pipeline=old, every="day")
    service.add_pipeline("train")
    service.requests.clear()
    with pytest.raises(Conflict, match="pipeline 'train' is used by active schedules: nightly"):
        ws.pipelines.disable("other", "train")
    assert service.changes() == []
    ws.schedules.disable("nightly")
    assert len(ws.pipelines.disable("other", "train")) == 3


def test_no_publication_is_disabled_that_is_the_default_version_of_an_endpoint_with_a_schedule(service, ws):
    service.add_pipeline("other")
    before, now = service.add_pipeline("train"), service.add_pipeline("train")
    service.add_schedule("nightly", service.add_endpoint("prod", before, now))
    with pytest.raises(Conflict, match="pipeline 'train' is used by active schedules: nightly"):
        ws.pipelines.disable("other", now)
    with pytest.raises(Conflict, match="nightly"):
        ws.pipelines.check_unused(now)
    assert service.changes() == []
    ws.pipelines.check_unused(before)
    assert [change.value.id for change in ws.pipelines.disable(before)] == [before.id]


def test_endpoints_are_listed_newest_first_and_active_unless_told_otherwise(service, ws):
    old, new = service.add_pipeline("train"), service.add_pipeline("train")
    service.add_endpoint("a", old)
    service.add_endpoint("b", old, status=Status.DISABLED)
    service.add_endpoint("c", old, new)
    assert [(one.name, one.pipeline_id) for one in ws.pipelines.endpoints()] == [("c", new.id), ("a", old.id)]
    assert [one.name for one in ws.pipelines.endpoints(active_only=False)] == ["c", "b", "a"]


def test_all_names_are_looked_up_before_the_first_pipeline_is_changed(service, ws):
    service.add_pipeline("a")
    with pytest.raises(NotFound):
        ws.pipelines.disable("a", "b")
    assert service.changes() == []


def test_lists_are_newest_first_and_active_unless_told_otherwise(service, ws):
    service.add_pipeline("a")
    service.add_pipeline("b", status=Status.DISABLED)
    service.add_pipeline("c")
    assert [one.name for one in ws.pipelines.list()] == ["c", "a"]
    assert [one.name for one in ws.pipelines.list(active_only=False)] == ["c", "b", "a"]


def test_a_pipeline_is_found_by_id_in_one_call(service, ws):
    pipeline = service.add_pipeline("a")
    assert ws.pipelines.get(pipeline.id) == pipeline
    assert service.calls() == [f"GET /Pipelines/{pipeline.id}"]


def test_a_name_that_looks_like_an_id_is_found_too(service, ws):
    name = "3f2a0000-0000-4000-8000-000000000000"
    assert ws.pipelines.get(service.add_pipeline(name)).name == name
    assert ws.pipelines.get(name).name == name
