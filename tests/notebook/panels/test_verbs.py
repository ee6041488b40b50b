"""``%aml panel`` in a shell: the verbs, what is displayed, and how a panel lives with the session."""

from __future__ import annotations

import pytest
from IPython.utils.capture import capture_output

from aml_magics.model.errors import InvalidInput
from aml_magics.notebook import extension
from aml_magics.notebook.panels import panel as panel_module
from aml_magics.session import session_of
from tests.notebook.helpers import HTML_NAME

NAMES = ["overview", "pipelines", "schedules", "runs", "datastores"]


def displayed(panel):
    """The text and the HTML that displaying it makes."""
    with capture_output() as captured:
        panel._ipython_display_()
    outputs = [output.data for output in captured.outputs]
    return outputs or [{"text/plain": captured.stdout}]


def test_the_noun_alone_is_the_overview(aml, train):
    overview = aml("panel")
    assert overview is aml("panel overview")
    assert overview.frame["what"].to_list() == ["schedules", "pipelines", "runs", "datastores"]
    assert [panel.kind.name for panel in overview.below] == ["schedules", "runs"]


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_shows_a_snapshot_as_text_and_as_html(aml, train, name):
    aml(f"pipeline publish '{HTML_NAME}'", "print(1)")
    shown = displayed(aml(f"panel {name}"))
    assert len(shown) == (4 if name == "overview" else 1)
    for output in shown:
        assert "as of " in output["text/plain"]
        assert "<table" in output["text/html"] or "<details" in output["text/html"]
        assert HTML_NAME not in output["text/html"]
    assert name.capitalize() in shown[0]["text/plain"]


def test_the_names_in_a_panel_are_offered_by_tab(aml, train):
    aml("schedule create nightly", "pipeline: train\nevery: day\nstart_time: 2090-01-01T00:00:00\n")
    aml.shell.magics_manager.registry["AmlMagics"].known.clear()
    assert "nightly" not in aml.offers("schedule show ")
    aml("panel schedules")
    assert "nightly" in aml.offers("schedule show ")
    assert sorted(aml.offers("panel ")) == sorted(NAMES)
    assert "--limit" in aml.offers("panel runs --")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("panel schedulez", "'schedules'"),
        ("panel schedule", "'schedules'"),
        ("panel pipeline", "'pipelines'"),
        ("panle", "'panel'"),
        ("panel runs --limit none", "a whole number"),
        ("panel schedules --limit 3", "--help"),
    ],
)
def test_a_wrong_name_or_option_is_answered_with_the_nearest(aml, train, line, hint):
    with pytest.raises(InvalidInput) as caught:
        aml(line)
    assert hint in str(caught.value)


def test_a_panel_opens_the_workspace_of_the_folder_and_says_so_once(aml, folder):
    panel = aml("panel runs")
    first = displayed(panel)
    assert "Opened the workspace embedded in this kernel" in first[0]["text/plain"]
    assert len(displayed(panel)) == len(first) - 1


def test_the_zone_of_the_settings_is_the_panels(aml, train):
    aml("schedule create nightly", "pipeline: train\nevery: day\nstart_time: 2090-01-01T06:00:00\n")
    aml.shell.run_line_magic("config", "AmlMagics.timezone = 'America/Sao_Paulo'")
    workspace = session_of(aml.shell).workspace
    for panel in (aml("panel schedules"), workspace.panel("schedules")):
        assert str(panel.frame["next_fire"].dtype) == "datetime64[us, America/Sao_Paulo]"
        assert "-03" in panel.table.footer
    aml.shell.run_line_magic("config", "AmlMagics.timezone = 'UTC'")


def test_a_reload_leaves_panels_as_they_are_and_an_unload_closes_them(aml, shell, train):
    panel = aml("panel schedules")
    shell.run_line_magic("load_ext", "aml_magics")
    for _ in range(3):
        shell.run_line_magic("reload_ext", "aml_magics")
        assert aml("panel schedules") is panel
    extension.unload(shell)
    assert panel.is_closed
    assert panel.table.footer.startswith("the workspace was closed")


def test_a_workspace_in_another_folder_ends_the_panels_of_the_former(aml, folder, train):
    panel = aml("panel pipelines")
    (folder / "other").mkdir()
    aml("connect other")
    assert panel.table.footer.startswith("the workspace was closed")
    assert aml("panel pipelines") is not panel
    assert len(aml("panel pipelines").frame) == 0


def test_without_anywidget_the_panel_says_what_is_missing(aml, train, monkeypatch):
    monkeypatch.setattr(panel_module, "find_spec", lambda _name: None)
    panel = aml("panel pipelines")
    assert "pip install anywidget" in displayed(panel)[0]["text/plain"]
