"""What a name, an id, or the beginning of an id means, and whether values fit a pipeline."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aml_magics.client.fitting import fit_data_path_parameter, fit_data_paths, fit_parameters, split_data_paths
from aml_magics.client.names import as_data_path, check_experiment_name, is_id, pick, pick_by_name, pick_id, reference
from aml_magics.model.errors import InvalidInput, NotFound
from aml_magics.model.resources import DataPath, DataPathParameter, Experiment, Parameter, Pipeline, Status

START = datetime(2026, 3, 2, tzinfo=UTC)


def pipeline(pipeline_id, name="train", *, hours=0, status=Status.ACTIVE):
    return Pipeline(id=pipeline_id, name=name, status=status, created=START + timedelta(hours=hours))


def test_an_id_wins_over_a_name():
    other = pipeline("a", name="b")
    assert pick("pipeline", "b", [other, pipeline("b", name="c")]).id == "b"


def test_a_name_means_the_newest_active_one():
    found = [
        pipeline("old", hours=1),
        pipeline("new", hours=2),
        pipeline("newest-disabled", hours=3, status=Status.DISABLED),
    ]
    assert pick("pipeline", "train", found).id == "new"
    assert pick("pipeline", "train", found[::-1]).id == "new"


def test_a_name_means_the_newest_disabled_one_when_none_is_active():
    found = [pipeline("a", hours=1, status=Status.DISABLED), pipeline("b", hours=2, status=Status.DISABLED)]
    assert pick("pipeline", "train", found, to_change=True).id == "b"


def test_two_active_ones_of_a_name_are_too_many_to_change():
    found = [pipeline("first", hours=1), pipeline("second", hours=2)]
    with pytest.raises(InvalidInput, match="2 active pipelines are called 'train': second, first"):
        pick("pipeline", "train", found, to_change=True)
    assert pick("pipeline", "first", found, to_change=True).id == "first"


def test_an_active_one_among_disabled_ones_is_clear_enough_to_change():
    found = [pipeline("a", hours=1), pipeline("b", hours=2, status=Status.DISABLED)]
    assert pick("pipeline", "train", found, to_change=True).id == "a"


def test_the_beginning_of_an_id_is_enough():
    assert pick("pipeline", "3F2a", [pipeline("3f2a1"), pipeline("4f2a1")]).id == "3f2a1"


def test_fewer_than_four_characters_of_an_id_are_not():
    with pytest.raises(NotFound):
        pick("pipeline", "3f2", [pipeline("3f2a1")])


def test_the_beginning_of_several_ids_lists_them():
    with pytest.raises(InvalidInput) as caught:
        pick("pipeline", "3f2a", [pipeline("3f2a1", "train"), pipeline("3f2a2", "score")])
    assert str(caught.value) == (
        "2 pipelines have an id that begins with '3f2a': 3f2a1 (train), 3f2a2 (score). Give more of the id."
    )


def test_a_long_list_of_candidates_is_cut():
    with pytest.raises(InvalidInput, match="and 95 more"):
        pick_id("run", "3f2a", {f"3f2a{number:03}": "" for number in range(100)})


def test_an_unknown_name_gets_the_nearest_active_one():
    found = [pipeline("a", "train"), pipeline("b", "trains", status=Status.DISABLED)]
    with pytest.raises(NotFound, match=r"there is no pipeline 'trian'\. Did you mean 'train'\?"):
        pick("pipeline", "trian", found)


def test_an_unknown_name_among_nothing_says_that_there_is_nothing():
    with pytest.raises(NotFound, match="There are no pipelines yet"):
        pick("pipeline", "train", [])
    with pytest.raises(NotFound, match="There are no experiments yet"):
        pick_by_name("experiment", "x", [])


def test_a_value_stands_for_its_own_id():
    assert reference("pipeline", pipeline("the-id")) == "the-id"
    assert reference("experiment", Experiment(id="an-id", name="the-name")) == "the-name"


@pytest.mark.parametrize("value", ["", "  ", None, 5, object()])
def test_nothing_else_is_a_reference(value):
    with pytest.raises(InvalidInput, match="neither a name nor an id"):
        reference("pipeline", value)


def test_only_a_whole_id_is_an_id():
    assert is_id("3f2a0000-0000-4000-8000-000000000000")
    assert not is_id("3f2a0000-0000-4000-8000-00000000000")
    assert not is_id("train")


@pytest.mark.parametrize("name", ["a", "MyExperiment", "0-_x", "a" * 255])
def test_experiment_names_that_azure_takes(name):
    assert check_experiment_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "é", "a" * 256, "a\n", None, 5])
def test_experiment_names_that_azure_does_not_take(name):
    with pytest.raises(InvalidInput, match="experiment_name"):
        check_experiment_name(name)


def test_a_data_path_is_written_as_datastore_slash_path():
    assert as_data_path("d", "store/in/a.csv") == DataPath("store", "in/a.csv")
    assert as_data_path("d", DataPath("store", "x")) == DataPath("store", "x")
    for wrong in ("store", "/path", "", 5, None):
        with pytest.raises(InvalidInput, match="datastore/path"):
            as_data_path("d", wrong)


TRAIN = Pipeline(
    id="p",
    name="train",
    parameters=(
        Parameter("learning_rate", 0.1),
        Parameter("epochs", 3),
        Parameter("shuffle", False),
        Parameter("note", "x"),
    ),
    data_paths=(DataPathParameter("input_data"), DataPathParameter("model", DataPath("store", "model"))),
)


def test_values_get_the_types_of_the_parameters():
    given_values = {"learning_rate": "0.5", "epochs": "7", "shuffle": "true", "note": 5}
    assert fit_parameters(TRAIN, given_values) == {"learning_rate": 0.5, "epochs": 7, "shuffle": True, "note": "5"}


def test_numbers_out_of_a_data_frame_are_numbers():
    fitted = fit_parameters(TRAIN, {"learning_rate": np.float32(0.5), "epochs": np.int64(7)})
    assert fitted == {"learning_rate": 0.5, "epochs": 7}


def test_an_unknown_parameter_gets_the_nearest_name():
    with pytest.raises(InvalidInput, match=r"has no parameter 'learning_rat'\. Did you mean 'learning_rate'\?"):
        fit_parameters(TRAIN, {"learning_rat": 1})


def test_a_data_path_among_the_parameters_says_what_it_is():
    with pytest.raises(InvalidInput, match="is a data path of pipeline"):
        fit_parameters(TRAIN, {"input_data": "store/x"})


@pytest.mark.parametrize(("name", "value"), [("epochs", "many"), ("epochs", 1.5), ("shuffle", "maybe"), ("note", [1])])
def test_a_value_that_does_not_fit_names_its_parameter(name, value):
    with pytest.raises(InvalidInput, match=name):
        fit_parameters(TRAIN, {name: value})


def test_data_paths_among_the_parameters_are_moved_as_the_sdk_takes_them_there():
    path = DataPath("store", "x")
    assert split_data_paths({"a": 1, "input_data": path}, {"model": "store/m"}) == (
        {"a": 1},
        {"input_data": path, "model": DataPath("store", "m")},
    )
    with pytest.raises(InvalidInput, match="given twice"):
        split_data_paths({"input_data": path}, {"input_data": "store/y"})


def test_a_data_path_without_a_default_must_be_given_unless_the_trigger_fills_it_in():
    with pytest.raises(InvalidInput, match="needs the data path 'input_data'"):
        fit_data_paths(TRAIN, {}, ["store"])
    assert fit_data_paths(TRAIN, {}, ["store"], filled_by_trigger="input_data") == {}


def test_a_data_path_on_no_datastore_gets_the_nearest_one():
    with pytest.raises(InvalidInput, match=r"Did you mean 'store'\?"):
        fit_data_paths(TRAIN, {"input_data": DataPath("stor", "x")}, ["store"])


@pytest.mark.parametrize(
    "path", ["..", "../../etc", "a/../b", "./a", "a//b", "/etc", "a/", "a\\b", "a\0b", "a/.", None, 5]
)
def test_a_data_path_that_leads_outside_or_is_not_plain_is_refused_with_the_place(path):
    with pytest.raises(InvalidInput, match="data path 'input_data'") as caught:
        fit_data_paths(TRAIN, {"input_data": DataPath("store", path)}, None)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("path", ["", "a", "a/b.csv", "..a", "a..b/...", " a b/é"])
def test_a_plain_data_path_is_taken_as_it_is(path):
    assert fit_data_paths(TRAIN, {"input_data": DataPath("store", path)}, ["store"]) == {
        "input_data": DataPath("store", path)
    }


def test_a_data_path_that_is_refused_shows_how_to_write_it():
    with pytest.raises(InvalidInput) as caught:
        fit_data_paths(TRAIN, {"input_data": as_data_path("input_data", r"store/in\day1//a.csv")}, ["store"])
    assert caught.value.hint == "Write 'store/in/day1/a.csv'."
    assert as_data_path("d", "store/in/") == DataPath("store", "in")


def test_an_unknown_data_path_gets_the_nearest_name():
    with pytest.raises(InvalidInput, match=r"Did you mean 'input_data'\?"):
        fit_data_paths(TRAIN, {"inputdata": DataPath("store", "x")}, ["store"])
    with pytest.raises(InvalidInput, match=r"Did you mean 'input_data'\?"):
        fit_data_path_parameter(TRAIN, "inputdata")


@given(
    st.dictionaries(st.text(max_size=20), st.one_of(st.text(), st.integers(), st.floats(), st.booleans()), max_size=3)
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_given_fits_or_is_refused_in_one_line(given_values):
    kinds = {parameter.name: type(parameter.default) for parameter in TRAIN.parameters}
    try:
        fitted = fit_parameters(TRAIN, given_values)
    except InvalidInput as error:
        shown, fitted = str(error), {}
    else:
        shown = "fits"
    assert "\n" not in shown
    assert all(type(value) is kinds[name] for name, value in fitted.items())
