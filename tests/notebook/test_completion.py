from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter

from aml_magics.notebook import extension
from aml_magics.notebook.completion import offers, offers_in_body
from aml_magics.notebook.completion_places import verb_of
from aml_magics.notebook.names import KnownNames
from aml_magics.notebook.nouns import TREE


def tab(shell, text):
    with provisionalcompleter():
        return [one.text for one in shell.Completer.completions(text, len(text))]


@pytest.fixture
def known():
    names = KnownNames()
    names.keep("pipeline", ["train", "my pipe", "{odd}"])
    names.keep("schedule", ["Nightly", "MyRecurringSchedule"])
    names.keep("datastore", ["workspaceblobstore"])
    names.keep("experiment", ["MyExperiment"])
    names.keep("run", ["1f2e3d4c"])
    return names


@pytest.mark.parametrize(
    ("line", "fragment", "some"),
    [
        ("", "", ["connect", "status", "schedule", "run"]),
        ("sch", "sch", ["schedule"]),
        ("schedule ", "", ["create", "list", "disable"]),
        ("schedule di", "di", ["disable"]),
        ("schedule disable ", "", ["Nightly", "MyRecurringSchedule", "--dry-run"]),
        ("schedule disable Nightly my", "my", ["MyRecurringSchedule"]),
        ("schedule create X --freq", "--freq", ["--frequency"]),
        ("schedule create X --frequency ", "", ["Minute", "Month"]),
        ("schedule create X --frequency=mi", "mi", ["Minute"]),
        ("schedule create X --time-zone america/sao", "america/sao", ["America/Sao_Paulo"]),
        ('schedule create X --time-zone "Pac', '"Pac', ['"Pacific Standard Time"', '"Pacific/Auckland"']),
        ("schedule create X --time_zone ut", "ut", ["UTC"]),
        ("schedule create X --status ", "", ["Active", "Disabled"]),
        ("schedule create X --week-days t", "t", ["Tuesday", "Thursday"]),
        ("schedule create X --week-days Monday,", "", ["Tuesday", "Sunday"]),
        ("schedule create X --week-days=Monday,t", "t", ["Tuesday", "Thursday"]),
        ("schedule create X --on ", "", ["added", "modified", "removed"]),
        ("schedule create X --on added,r", "r", ["removed"]),
        ("schedule create X --min", "--min", ["--min-size", "--minutes"]),
        ("schedule create X --append-only=", "", ["true", "false"]),
        ("schedule create X --if-exists ", "", ["error", "replace", "skip"]),
        ("schedule create X --pipeline tr", "tr", ["train"]),
        ("schedule create X --pipeline my", "my", ['"my pipe"']),
        ("schedule create X --pipeline 'my p", "'my p", ["'my pipe'"]),
        ("schedule create X --pipeline {", "{", ["{{odd}}"]),
        ("schedule create X --pipeline ", "", ["{{odd}}"]),
        ("schedule create X --experiment ", "", ["MyExperiment"]),
        ("schedule create X --datastore w", "w", ["workspaceblobstore"]),
        ("schedule create X --recursive=", "", ["true", "false"]),
        ("run wait 1f", "1f", ["1f2e3d4c"]),
        ("run wait N", "N", ["Nightly"]),
        ("run cancel ", "", ["1f2e3d4c"]),
        ("pipeline submit train --", "--", ["--parameter", "--data-path", "--dry-run"]),
        ("schedule list --all --a", "--a", []),
        ("nonsense ", "", []),
    ],
)
def test_tab_offers_what_may_stand_there(line, fragment, some, known):
    found, texts = offers(line, known)
    assert found == fragment
    assert set(some) <= set(texts)
    if not some:
        assert texts == []


def test_an_offer_in_quotes_or_braces_reads_back_as_the_name(known):
    from aml_magics.notebook.expand import Namespace, expand
    from aml_magics.notebook.words import split

    known.keep("pipeline", ['say "hi" now', "it's", "#1", "-x", "{train}"])
    texts = offers("pipeline show ", known)[1]
    read = [expand(word.text, Namespace()) for word in split(" ".join(texts)).words]
    assert {'say "hi" now', "it's", "#1", "-x", "{train}", "my pipe"} <= set(read)


def test_without_the_cache_there_are_words_but_no_names():
    assert offers("schedule ", None)[1]
    assert "Nightly" not in offers("schedule disable ", None)[1]


@pytest.mark.parametrize(
    "text",
    ["%aml sched", "%%aml sched", "x = %aml sched", "df.loc[0] = %aml sched", "    %aml sched", "a, b = %aml sched"],
)
def test_the_shell_completes_the_magic_and_nothing_else(shell, text):
    extension.load(shell)
    assert tab(shell, text) == ["schedule"]


def test_the_shells_own_words_are_not_among_ours(shell):
    extension.load(shell)
    assert tab(shell, "%aml ") == sorted(one.name for one in TREE)
    assert {"and", "if"} <= set(tab(shell, "%lsmagic "))


@pytest.mark.parametrize("text", ["%amlx sch", "print('%aml sch", "aml = sch", "# %aml sch"])
def test_other_lines_are_left_to_the_other_matchers(shell, text):
    extension.load(shell)
    assert "schedule" not in tab(shell, text)


def test_the_body_of_a_cell_is_not_a_line_of_the_magic(shell):
    extension.load(shell)
    text = "%%aml schedule create X\nsch"
    assert "schedule" not in tab(shell, text)


def test_a_day_that_stands_there_is_not_offered_again(known):
    assert "Monday" not in offers("schedule create X --week-days Monday,", known)[1]


@pytest.mark.parametrize(
    ("cell", "before", "fragment", "some"),
    [
        ("schedule create X", "frequency: M", "M", ["Minute", "Month"]),
        ("schedule create X", "  frequency: M", "M", ["Minute", "Month"]),
        ("schedule create X", "freq", "freq", ["frequency: "]),
        ("schedule create X", "pipeline_p", "pipeline_p", ["pipeline_parameters:"]),
        ("schedule create X", "week_days: [Monday, t", "t", ["Tuesday", "Thursday"]),
        ("schedule create X", "week-days: t", "t", ["Tuesday", "Thursday"]),
        ("schedule create X", "pipeline: my", "my", ["my pipe"]),
        ("schedule create X", "pipeline: 'my", "'my", ["'my pipe'"]),
        ("schedule create X", "time_zone: Pacific St", "Pacific St", ["Pacific Standard Time"]),
        ("schedule preview", "recursive: t", "t", ["true"]),
        ("schedule create X", "on: [added, r", "r", ["removed"]),
        ("schedule create X", "max", "max", ["max_runs_per_poll: "]),
        ("schedule create X", "  lea", "lea", []),
        ("schedule create X", "nonsense: M", "M", []),
        ("schedule disable", "Ni", "Ni", ["Nightly"]),
        ("pipeline enable", "my", "my", ["my pipe"]),
    ],
)
def test_tab_offers_what_may_stand_in_a_body(cell, before, fragment, some, known):
    found, texts = offers_in_body(verb_of(cell), before, known)
    assert found == fragment
    assert set(some) <= set(texts)
    if not some:
        assert texts == []


def test_where_a_file_belongs_tab_offers_files_and_folders(folder):
    (folder / "day1.csv").touch()
    (folder / "my day.csv").touch()
    (folder / ".hidden").touch()
    (folder / "data").mkdir()
    (folder / "data" / "in.csv").touch()
    assert offers("datastore upload d", None) == ("d", ["data/", "day1.csv"])
    assert offers("datastore upload data/", None)[1] == ["data/in.csv"]
    assert offers("datastore upload my", None)[1] == ['"my day.csv"']
    assert offers("datastore upload .", None)[1] == [".hidden"]
    assert offers("pipeline publish --file d", None)[1] == ["data/", "day1.csv"]
    assert offers("pipeline publish --file=nowhere/", None)[1] == []


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("%aml schedule create X --week-days pri", ["pri"]),
        ("%aml experiment create ", ["--dry-run", "--help", "--output"]),
        ("%aml experiment create pri", ["pri"]),
        ("%aml datastore upload o", ["o.csv"]),
        ("%aml datastore upload p", ["p"]),
        ("%%aml schedule create X\nfrequency: M", ["Minute", "Month"]),
        ("%%aml schedule create X\ndescription: ", [""]),
        ("%%aml schedule create X\nstatus: A", ["Active"]),
        ("%%aml schedule disable\nN", ["Nightly"]),
        ("\n%%aml schedule disable\nNightly\npri", ["pri"]),
    ],
)
def test_pythons_own_words_stay_out_of_our_places(shell, folder, text, offered):
    (folder / "o.csv").touch()
    extension.load(shell)
    shell.magics_manager.registry["AmlMagics"].known.keep("schedule", ["Nightly"])
    assert tab(shell, text) == offered


@pytest.mark.parametrize("text", ["%%aml pipeline publish x\nprin", "%%time\nprin", "print(1)\nprin"])
def test_code_is_left_to_python(shell, text):
    extension.load(shell)
    assert "print" in tab(shell, text)


def test_names_can_be_switched_off(shell):
    extension.load(shell)
    magics = shell.magics_manager.registry["AmlMagics"]
    magics.known.keep("schedule", ["Nightly"])
    text = "%aml schedule show N"
    assert tab(shell, text) == ["Nightly"]
    magics.complete_names = False
    assert "Nightly" not in tab(shell, text)


def test_the_newest_names_come_first_and_a_whole_list_forgets_the_others():
    names = KnownNames()
    names.keep("run", ["a", "b"])
    names.keep("run", ["a"])
    assert names.of("run") == ["a", "b"]
    names.keep("run", ["c"], all_of_them=True)
    assert names.of("run") == ["c"]


@settings(max_examples=300, deadline=None)
@given(
    st.text(),
    st.sampled_from(
        [
            "",
            "schedule ",
            "datastore upload ",
            "schedule create X --time-zone ",
            "run wait ",
            "pipeline submit x --parameter ",
        ]
    ),
)
def test_no_text_before_the_cursor_makes_completion_fail(text, start):
    names = KnownNames()
    names.keep("run", ["'", '"', "", "{", "a b"])
    fragment, _ = offers(start + text, names)
    assert (start + text).endswith(fragment)
    for cell in ("schedule create", "schedule disable"):
        line = text.split("\n")[0]
        assert line.endswith(offers_in_body(verb_of(cell), line, names)[0])
