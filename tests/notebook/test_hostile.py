"""Whatever comes back from the network, every verb ends in success or in one clear line, and nothing is done twice."""

from __future__ import annotations

import itertools
import socket
from collections import Counter
from urllib.parse import urlsplit

import pytest

from aml_magics.client import transport
from aml_magics.model.errors import AmlError
from aml_magics.model.secret import Secret
from aml_magics.session import Session
from tests.notebook.helpers import shown
from tests.support.hostile import BROKEN, FAULTS, SPOILT, Hostile
from tests.support.planted import planted

TOKEN = planted("hostile-token")
VERBS = [
    "status",
    "doctor",
    "experiment list",
    "experiment show MyExperiment",
    "datastore list",
    "datastore show workspaceblobstore",
    "datastore ls",
    "datastore ls workspaceblobstore incoming",
    "datastore upload {file} --path incoming/",
    "pipeline list",
    "pipeline list --all",
    "pipeline show train",
    "pipeline endpoint train",
    "schedule list",
    "schedule list --all",
    "schedule show nightly",
    "schedule runs nightly",
    "schedule history nightly",
    "schedule preview nightly",
    "run list",
    "run list --pipeline train",
    "run show {run}",
    "run show 12345678",
    "run logs {run}",
    "run wait {run} --timeout 5",
    "run cancel {run}",
    "pipeline submit train",
    "schedule create other --pipeline train --every day --start-time 2090-01-01",
    "schedule disable nightly",
    "schedule enable nightly",
    "pipeline disable other",
    "pipeline enable other",
]
CHANGES = ("PipelineSubmit/", "Schedules/Create", "Pipelines/Create")


@pytest.fixture
def impatient(monkeypatch):
    """Pauses take no time, and an answer that trickles is given up soon."""
    decide = transport.pause_before_retry
    monkeypatch.setattr(transport, "pause_before_retry", lambda *facts: None if decide(*facts) is None else 0.0)
    monkeypatch.setitem(transport.Transport.__init__.__kwdefaults__, "patience", 0.2)


@pytest.fixture
def served(tmp_path_factory):
    """A workspace with something of everything, served as a colleague serves it."""
    session = Session()
    workspace = session.connect(tmp_path_factory.mktemp("served"))
    workspace.pipelines.publish(source="print('trained')", name="train")
    workspace.pipelines.publish(source="print('other')", name="other")
    workspace.schedules.create(
        name="nightly", pipeline="train", experiment_name="MyExperiment", every="day", start_time="2090-01-01T00:00:00"
    )
    workspace.runs.wait(workspace.pipelines.submit("train", experiment_name="MyExperiment").id)
    yield session.serve(token=Secret(TOKEN)), workspace
    session.close()


@pytest.fixture
def proxy(served):
    address = urlsplit(served[0].url)
    with Hostile((address.hostname, address.port)) as proxy:
        yield proxy


@pytest.fixture
def away(aml, proxy, served, folder, impatient):
    """``%aml`` connected through the proxy, which behaves so far."""
    aml("connect {url} --token {TOKEN}", url=proxy.url, TOKEN=TOKEN)
    (folder / "day1.csv").write_text("1,2")
    run = served[1].runs.list(limit=None)[0]
    aml("run show {run}", run=run, file="day1.csv")
    return aml


def outcome(aml, line) -> str:
    """``""`` for success, or the line that a person reads; whatever else is raised, is raised."""
    try:
        shown(aml(line))
    except AmlError as error:
        (text,) = error._render_traceback_()
    else:
        return ""
    assert "\n" not in text
    assert len(text) < 500
    assert TOKEN not in text
    return text


@pytest.mark.parametrize("fault", FAULTS)
def test_every_verb_ends_well_or_in_one_line_and_changes_are_sent_once(away, proxy, served, fault):
    told = {}
    for line in VERBS:
        proxy.be(fault, pace=0.01)
        told[line] = outcome(away, line)
        changes = Counter(one.path for one in proxy.asked if any(change in one.path for change in CHANGES))
        assert set(changes.values()) <= {1}, line
    proxy.be("")
    assert outcome(away, "pipeline list") == ""
    runs = served[1].runs.list(limit=None)
    assert len(runs) <= 2
    assert len([one for one in served[1].schedules.list(active_only=False) if one.name == "other"]) <= 1
    if fault not in ("camelCase", "slow bytes"):  # there some verbs may succeed
        assert told["pipeline list"] != ""


@pytest.mark.parametrize("fault", ["another JSON", "a number", "a list of lists", "null", "nothing", "no JSON"])
def test_whichever_of_its_answers_is_wrong_a_verb_ends_in_one_line(away, proxy, fault):
    for line in VERBS:
        for nth in itertools.count(1):
            count = itertools.count(1)
            proxy.be(fault, spoils=lambda _request, count=count, nth=nth: next(count) == nth)
            outcome(away, line)
            if len(proxy.asked) < nth:
                break


@pytest.mark.parametrize("fault", ["reset", "half a body", "closed at once", "500", "503", "429"])
def test_a_question_is_asked_again_and_answered_when_the_trouble_is_over(away, proxy, fault):
    proxy.be(fault, first=2)
    assert outcome(away, "pipeline list") == ""
    assert len(proxy.asked) > 2


@pytest.mark.parametrize("before", [True, False], ids=["not carried out", "carried out, answer lost"])
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault not in ("camelCase", "slow bytes")])
def test_a_submit_is_sent_once_whatever_the_answer_and_says_what_may_have_happened(away, proxy, served, fault, before):
    def is_submit(request):
        return "PipelineSubmit" in request.path

    count = len(served[1].runs.list(limit=None))
    proxy.be(fault, spoils=is_submit, before=before)
    line = outcome(away, "pipeline submit train")
    assert line
    assert len([one for one in proxy.asked if is_submit(one)]) == 1
    assert len(served[1].runs.list(limit=None)) == count + (not before)
    if fault in SPOILT.keys() - {"429", "429 for a second", "429 for an hour", "503 for a second", "401", "302"}:
        assert "look at the list" in line
    if fault in BROKEN:
        assert "It may have been carried out all the same" in line


@pytest.mark.parametrize("fault", FAULTS)
def test_connecting_ends_in_one_line_and_leaves_open_what_is_open(aml, proxy, folder, impatient, fault):
    aml("pipeline publish mine", "print(1)")
    proxy.be(fault, pace=0.01)
    aml("status", url=proxy.url, TOKEN=TOKEN)
    line = outcome(aml, "connect {url} --token {TOKEN}")
    if line:
        proxy.be("")
        assert list(aml("pipeline list")["name"]) == ["mine"]


def test_a_token_that_expires_in_the_middle_is_told_with_the_way_out(away, served, proxy):
    proxy.be("401")
    line = outcome(away, "pipeline list")
    assert "token" in line
    assert "--token" in line


def test_nobody_at_the_address_is_one_line(aml):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    line = outcome(aml, f"connect http://127.0.0.1:{port} --token x")
    assert f"127.0.0.1:{port} cannot be reached" in line


def test_all_kinds_of_faults_are_tried():
    assert len(SPOILT) == 16
    assert len(set(FAULTS)) == 20
