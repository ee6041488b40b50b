"""The cell that the form shows says what the form means: read back, it is the same schedule."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from aml_magics.model.words import WEEK_DAYS
from aml_magics.notebook.commands.schedule_request import request_from
from aml_magics.notebook.expand import Namespace, load_body
from aml_magics.notebook.form.cell_text import cell_of
from aml_magics.notebook.form.fields import FIELDS, TRIGGERS, is_shown, values_of
from aml_magics.notebook.grammar import parse
from aml_magics.notebook.nouns import TREE

NAMES = Namespace(user={"name": "a trap", "x": 1})
# Everything that a file name and JSON can hold, with what YAML, magics and expansion treat in their own way in plenty.
TEXT = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20),
    st.text("a {}[]:,#'\"\\$%&*!|>?@`-=\n\t\u202e\U00100000\U0010fffd\x85\ufeff0", min_size=1, max_size=12),
    st.sampled_from(
        ["true", "Null", "~", "1e5", "0x1F", "007", "1.10", "on", "a: b", "a #b", "${{x}}", "{name}", "{{x}}", "- a"]
    ),
).filter(str.strip)
COUNT = st.integers(1, 500)
TRIGGER = st.one_of(
    st.fixed_dictionaries({"frequency": st.sampled_from(["Minute", "Hour", "Month"]), "interval": COUNT}),
    st.fixed_dictionaries(
        {
            "frequency": st.just("Week"),
            "interval": COUNT,
            "week_days": st.lists(st.sampled_from(WEEK_DAYS), min_size=1),
        },
        optional={
            "hours": st.lists(st.integers(0, 23), min_size=1),
            "minutes": st.lists(st.integers(0, 59), min_size=1),
            "start_time": st.datetimes().map(lambda at: at.replace(microsecond=0, year=2026, day=1).isoformat()),
            "time_zone": st.sampled_from(["UTC", "Europe/Lisbon", "E. South America Standard Time"]),
        },
    ),
    st.fixed_dictionaries({"frequency": st.just("Day"), "time_of_day": st.sampled_from(["06:30", "0:05", "23:59"])}),
    st.fixed_dictionaries({"cron": st.sampled_from(["* * * * *", "*/15 * * * *", "0 6 * * 1-5", "0,30 6 1,15 * *"])}),
    st.fixed_dictionaries(
        {"datastore": TEXT},
        optional={
            "polling_interval": st.one_of(st.integers(1, 60), st.sampled_from(["5s", "2 hours"])),
            "data_path_parameter_name": TEXT,
            "pattern": st.sampled_from(["*.csv", "[ab]*", "a b", "?", "'x'", "{x}*"]),
            "on": st.lists(st.sampled_from(["added", "modified", "removed"]), min_size=1),
            "recursive": st.booleans(),
            "settle": st.sampled_from(["2s", 3, 0.5]),
        },
    ),
)
PARAMETER = st.one_of(
    TEXT, st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False), st.booleans()
)
# The magic takes no braces in keys: a key cannot come from a variable.
KEY = TEXT.filter(lambda text: "{" not in text and "}" not in text and max(text) < "\U00100000")
OPTIONS = st.fixed_dictionaries(
    {"name": TEXT, "pipeline": TEXT},
    optional={
        "experiment_name": TEXT,
        "description": TEXT,
        "status": st.sampled_from(["Active", "Disabled"]),
        "missed": st.sampled_from(["skip", "once", "all"]),
        "if_exists": st.sampled_from(["error", "replace", "skip"]),
        "continue_on_step_failure": st.booleans(),
        "pipeline_parameters": st.dictionaries(KEY, PARAMETER, min_size=1),
        "data_paths": st.dictionaries(KEY, TEXT, min_size=1),
    },
)


def read(cell):
    """What the cell asks for, on the way that IPython and the magic go."""
    (statement,) = ast.parse(TransformerManager().transform_cell(cell)).body
    magic, line, body = (argument.value for argument in statement.value.args)
    assert magic == "aml"
    asked = parse(line, TREE, NAMES, is_cell=True)
    assert asked.path == ("schedule", "create")
    return request_from(asked.arguments, load_body(body, NAMES))


@given(OPTIONS, TRIGGER)
def test_the_cell_read_back_is_the_same_schedule(options, trigger):
    values = {**options, **trigger}
    assert read(cell_of(values)) == request_from({}, values)


@given(OPTIONS, TRIGGER)
def test_a_value_never_adds_a_line_to_the_cell(options, trigger):
    values = {**options, **trigger}
    mappings = [values.get("pipeline_parameters", {}), values.get("data_paths", {})]
    most = 1 + len(values) + sum(map(len, mappings))
    assert most - 1 <= len(cell_of(values).split("\n")) - 1 <= most


@pytest.mark.parametrize(
    "text", ["${x}", "${{x}}", "}{", "}}", "{{", "{name}", "{a}{x}", "$", "{", "{x}}", "a, b", "\\x41"]
)
def test_braces_and_dollars_come_back_beside_others_and_in_lists(text):
    values = {"description": f"{{{{ {text} }}", "pipeline": text, "week_days": [text, f"a{text}, b"], "cron": text}
    body = cell_of(values).partition("\n")[2]
    assert load_body(body, NAMES) == values


def test_usual_values_stand_as_a_person_would_write_them():
    values = {
        "name": "MySchedule",
        "pipeline": "train",
        "experiment_name": "MyExperiment",
        "frequency": "Week",
        "interval": 2,
        "week_days": ["Monday", "Friday"],
        "time_of_day": "06:30",
        "description": "Based on time",
        "pipeline_parameters": {"learning_rate": 0.5, "label": "1.10"},
    }
    assert cell_of(values) == (
        "%%aml schedule create MySchedule\n"
        "pipeline: train\n"
        "experiment_name: MyExperiment\n"
        "frequency: Week\n"
        "interval: 2\n"
        "week_days: [Monday, Friday]\n"
        "time_of_day: 06:30\n"
        "description: Based on time\n"
        "pipeline_parameters:\n"
        "  learning_rate: 0.5\n"
        '  label: "1.10"\n'
    )


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("my schedule", '%%aml schedule create "my schedule"'),
        ("--help", "%%aml schedule create\nname: "),
        ("a {x}", "%%aml schedule create\nname: "),
        ("जदवल", "%%aml schedule create"),
    ],
)
def test_an_odd_name_is_quoted_or_moves_into_the_body(name, head):
    cell = cell_of({"name": name, "pipeline": "train", "cron": "0 6 * * *"})
    assert cell.startswith(head)
    assert read(cell).options["name"] == name


def test_only_inputs_that_count_for_the_trigger_have_a_value():
    raw = {
        "name": " X ", "pipeline": "train", "frequency": "Day", "interval": "2", "week_days": ("Monday",),
        "time_of_day": "06:30", "cron": "0 6 * * *", "datastore": "store", "polling_interval": "5", "time_zone": "",
        "recursive": False, "on": (), "hours": "6, 18",
        "pipeline_parameters": {"a": "", "b": 2}, "data_paths": {"c": ""},
    }  # fmt: skip
    shared = {"name": "X", "pipeline": "train", "pipeline_parameters": {"b": 2}}
    time = {"frequency": "Day", "interval": 2, "time_of_day": "06:30", "hours": [6, 18]}
    assert values_of(raw, "recurrence") == shared | time
    assert values_of(raw, "cron") == shared | {"cron": "0 6 * * *"}
    assert values_of(raw, "change") == shared | {"datastore": "store", "polling_interval": 5}


def test_every_option_of_a_schedule_can_be_asked_for():
    create = next(verb for noun in TREE if noun.name == "schedule" for verb in noun.verbs if verb.name == "create")
    asked = {field.key for field in FIELDS}
    known = {option.key for option in create.options}
    assert known - asked == {"dry_run", "every", "parameter", "data_path"}  # every is frequency and interval
    assert asked - known == {"name"}
    for field in FIELDS:
        assert any(is_shown(field, trigger, "Week") for trigger in TRIGGERS)
