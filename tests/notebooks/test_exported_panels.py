"""A notebook with every panel, run from top to bottom and exported: what a reader without a kernel sees of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from nbconvert import HTMLExporter
from nbformat import v4, write

from tests.support import notebooks

HOSTILE = ("<img src=x onerror=alert(1)>", "تقرير يومي", "n" * 255, "nightly 🚀")
LABELS = ("Overview", "Pipelines", "Schedules", "Runs", "Datastores")
# Of the elements that JupyterLab leaves alone in a notebook that somebody else has run.
KEPT = {"a", "details", "div", "img", "p", "pre", "span", "strong", "summary"}
KEPT |= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
SET_UP = f"""\
%load_ext aml_magics
from aml_magics import connect
ws = connect()
for name in {HOSTILE!r}:
    ws.pipelines.publish(source="print('scored')", name=name)
    ws.schedules.create(name, pipeline=name, every="day", start_time="2090-01-01T00:00:00", experiment_name="E")
done = ws.runs.wait(ws.pipelines.submit({HOSTILE[0]!r}, experiment_name="E").id, timeout=60).status
"""
CELLS = (SET_UP, *(f"%aml panel {label.lower()}" for label in LABELS), "%aml schedule timeline")


class Document(HTMLParser):
    """What a page shows as text, and what it would run, load or draw."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.captions: list[str] = []
        self.scripts: list[str] = []
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self.elements: set[str] = set()
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        facts = dict(attributes)
        self._inside = tag
        self.elements.add(tag)
        self.handlers += [name for name in facts if name.startswith("on")]
        if tag == "script":
            self.scripts.append(f"{facts.get('type', '')} {facts.get('src', '')}".strip())
        elif facts.get("src"):
            self.loaded.append(facts["src"])

    def handle_data(self, data):
        if self._inside not in ("script", "style"):
            self.text.append(data)
        if self._inside == "caption":
            self.captions.append(data.strip())

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    (folder / "run").mkdir()
    write(v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in CELLS]), folder / "panels.ipynb")
    return notebooks.execute(folder / "panels.ipynb", folder / "run")


def exported(notebook, **options):
    page, _resources = HTMLExporter(**options).from_notebook_node(notebook)
    return Document(page)


def without_widgets(notebook):
    """As saved with the state of widgets switched off, which is JupyterLab's own way."""
    plain = v4.new_notebook(cells=notebook.cells, metadata=dict(notebook.metadata))
    plain.metadata.pop("widgets", None)
    return plain


def test_every_panel_is_readable_as_text(executed):
    assert notebooks.errors(executed) == []
    assert notebooks.stderr(executed) == ""
    assert notebooks.unreadable(executed) == []
    said = notebooks.text(executed)
    for label in LABELS:
        assert re.search(rf"^{label}: .+, as of 20", said, re.MULTILINE), label
    for name in HOSTILE:
        assert name in said
    assert "✓ Finished" in said


def test_an_export_shows_every_panel_as_a_table_and_names_as_text(executed):
    page = exported(without_widgets(executed))
    assert {*LABELS} <= {*page.captions}
    for name in HOSTILE:
        assert name in page.words
    assert "model not found" not in page.words
    assert [source for source in page.loaded if not source.startswith("data:image/")] == []
    assert page.handlers == []


def test_a_notebook_that_is_not_trusted_loses_no_element_but_the_rules_of_style(executed):
    bundles = [output.data for output in notebooks.outputs(executed) if "data" in output]
    page = Document("".join(bundle.get("text/html", "") for bundle in bundles))
    assert page.elements - KEPT == {"style"}
    assert {*LABELS} <= {*page.captions}


def test_an_export_asks_for_no_script_that_an_empty_notebook_would_not_ask_for(executed):
    empty = exported(v4.new_notebook())
    assert exported(without_widgets(executed)).scripts == empty.scripts


def test_an_export_with_the_state_of_widgets_still_has_the_tables(executed):
    assert "widgets" in executed.metadata
    page = exported(executed)
    assert {*LABELS} <= {*page.captions}
    assert "model not found" not in page.words
