"""Whatever is typed is a result or one line of error."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aml_magics.model.errors import AmlError
from aml_magics.notebook.grammar import Noun
from aml_magics.notebook.nouns import TREE
from tests.notebook.helpers import prepare

VALUES = """train old nightly X new UTC Europe/Lisbon day Day Hour Week Monday Active Disabled replace skip error once
all 'a b' "c'd" {train} {number} {numbers} {nope} {numbers[0]} {train.id} 15 -5 0 1 1e999 007 6,18 06:30 '*/15,*,*,*,*'
learning_rate=0.5 learning_rate=x epochs={number} input_data=workspaceblobstore/in input_data nope=1 workspaceblobstore
in '*.csv' a/*.csv added added,removed 10KB 1.5MiB
2090-01-01 # ; <b> 🚀 it's $HOME \\ {{x}} ${{y}} '' "" = : --all --nope -x -- true false file batch 5s"""
LINES = """pipeline: train
pipeline: {train}
pipeline_parameters: {epochs: {number}}
every: 15 minutes
every: {number}
frequency: Hour
interval: {number}
interval: 1.5
hours: {numbers}
cron: "*/5 * * * *"
datastore: workspaceblobstore
path_on_datastore: in
pattern: "*.csv"
pattern: {train}
min_size: 10 KB
min_size: {numbers}
on: [added, removed]
on: {number}
per: file
max_runs_per_poll: {number}
append_only: true
time_zone: Mars/Olympus
start_time: 2090-01-01
status: Disabled
description: it's {number}: <b>$HOME</b> 🚀
description: |
  two
name: {numbers}
experiment_name: E
jobs:
print(1)
{nope}
nightly
- nightly
# comment
 odd indent
\ttab
x = {1: 2}"""
VERBS = [(one.name, verb) for one in TREE if isinstance(one, Noun) for verb in one.verbs if verb.name != "wait"]
PLAIN = st.text(st.characters(exclude_characters="/~.\\"), max_size=8)
VALUE = st.sampled_from(VALUES.split()) | PLAIN
LINE = st.one_of(st.sampled_from(LINES.splitlines()), PLAIN)
BODY = st.none() | st.lists(LINE, min_size=1, max_size=6).map("\n".join)
WHOLE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@st.composite
def cells(draw):
    """A verb with words and a body that may belong to it: far enough in to reach the workspace."""
    noun, verb = draw(st.sampled_from(VERBS))
    words = [noun, verb.name, *draw(st.lists(VALUE, max_size=len(verb.positionals)))]
    for option in verb.options:
        if option.name != "follow" and draw(st.integers(0, 3)) == 0:
            words += [draw(st.sampled_from(option.spellings)), *([draw(VALUE)] if option.value else [])]
    return " ".join(words), draw(BODY) if verb.body else None


@pytest.fixture
def prepared(aml):
    """A workspace of the test's own: what is typed here may well change it."""
    prepare(aml)
    return aml


def said(aml, line, body=None, **variables):
    """The error, or nothing; what is returned must show itself."""
    try:
        result = aml(line, body, **variables)
    except AmlError as error:
        return str(error)
    assert result is None or repr(result)
    return ""


@settings(max_examples=250, deadline=None, suppress_health_check=WHOLE)
@given(cells() | st.tuples(PLAIN, BODY))
def test_any_line_and_any_body_is_a_result_or_one_line_of_error(prepared, cell):
    line, body = cell
    assert len(said(prepared, line, body or None).splitlines()) <= 1


@settings(max_examples=150, deadline=None, suppress_health_check=WHOLE)
@given(st.sampled_from(["create X", "preview", "create X --pipeline train --every day --dry-run"]), st.text())
def test_any_text_as_a_body_is_a_result_or_one_line_of_error(prepared, verb, body):
    before = prepared.digest()
    assert len(said(prepared, f"schedule {verb}", body or " ").splitlines()) <= 1
    assert prepared.digest() == before


@settings(max_examples=150, deadline=None, suppress_health_check=WHOLE)
@given(st.text(st.characters(exclude_categories=[])), st.sampled_from(["pipeline", "experiment_name", "description"]))
def test_any_text_in_a_variable_is_a_value_or_one_line_of_error(prepared, value, key):
    lines = [f"{key}: {{anything}}", "every: day"]
    if key != "pipeline":
        lines.append("pipeline: train")
    assert len(said(prepared, "schedule create X --dry-run", "\n".join(lines), anything=value).splitlines()) <= 1
    assert len(said(prepared, "pipeline show {anything}", anything=value).splitlines()) <= 1
    assert len(said(prepared, "datastore ls workspaceblobstore {anything}", anything=value).splitlines()) <= 1
