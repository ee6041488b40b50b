"""What a table is outside of a live page: the snapshot in a saved notebook, the fallback, what is sent to a browser."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import ipywidgets
import pytest
from IPython.utils.capture import capture_output

from aml_magics.notebook.widgets.fallback import PagedFace
from aml_magics.notebook.widgets.live import CSS, ESM
from tests.support.table_bed import HOSTILE, make

AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
# What JupyterLab's sanitizer leaves in a notebook that somebody else has run.
KEPT = {"caption", "div", "img", "p", "span", "table", "tbody", "td", "th", "thead", "tr"}


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]

    def handle_data(self, data):
        self.text += data


def test_the_snapshot_says_when_it_was_made_and_how_much_it_shows():
    snapshot = make(60).snapshot()
    for text in (Tags(snapshot.html(AT)).text, snapshot.text(AT)):
        assert "25 of 60 schedules, as of 2026-11-27 09:30:00 UTC" in text
        assert "✓ Active" in text
        assert "schedule-00024" in text
        assert "schedule-00025" not in text


def test_the_snapshot_is_made_of_what_an_untrusted_notebook_keeps():
    page = Tags(make(3, hostile=True).snapshot().html(AT))
    assert set(page.tags) == KEPT
    assert {name for _tag, name, _value in page.attributes} == {"alt", "class", "scope", "src", "style"}
    assert all(value.startswith("data:image/svg+xml;base64,") for _tag, name, value in page.attributes if name == "src")


def test_hostile_names_are_text_in_the_snapshot():
    page = Tags(make(4, hostile=True).snapshot().html(AT))
    assert HOSTILE[0] in page.text
    assert "\u200f" not in page.text


def test_the_snapshot_shows_the_table_as_it_is_sorted_and_filtered():
    table = make(60)
    table.sort = ("name", False)
    table.filter = "queued"
    assert "schedule-00059" in table.snapshot().text(AT).splitlines()[2]


def test_an_empty_table_says_so():
    snapshot = make(0, empty="No schedules yet.").snapshot()
    assert "No schedules yet." in Tags(snapshot.html(AT)).text
    assert "No schedules yet." in snapshot.text(AT)


def test_in_a_terminal_a_table_is_text(one_shell):
    with capture_output() as shown:
        make(3)._ipython_display_()
    (output,) = shown.outputs
    assert output.data["text/plain"].startswith("Schedules: 3 schedules, as of ")


def test_the_browser_is_sent_less_than_15_kb():
    assert len(ESM.encode()) + len(CSS.encode()) < 15_000


def test_a_text_is_never_made_into_markup_in_the_browser():
    assert [word for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write") if word in ESM] == []


@pytest.fixture
def face():
    table = make(60)
    face = table.face(PagedFace)
    yield face
    table.close()


def test_the_fallback_is_a_page_and_one_toolbar(face):
    assert len(face.widget.children) == 4
    assert "schedule-00024" in face.page.value
    assert "schedule-00025" not in face.page.value
    face.buttons[1].click()
    assert "schedule-00025" in face.page.value


def test_the_fallback_acts_upon_the_row_that_is_chosen(face):
    from tests.support import table_bed

    act = next(button for button in face.buttons if button.description == "Details")
    act.click()
    assert "Choose a row first." in face.error.value
    face.row.value = "id-2"
    act.click()
    assert table_bed.done == [("open", "id-2")]
    assert "schedule-00002" in face.detail.value


def test_the_fallback_filters_and_follows_updates(face):
    face.filter.value = "0001"
    assert "11 of 60 schedules" in face.page.value
    face._table.filter = ""
    assert face.filter.value == ""
    assert isinstance(face.widget, ipywidgets.VBox)
