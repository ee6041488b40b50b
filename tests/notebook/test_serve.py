"""``%aml serve`` in a notebook: what it says, what it keeps to itself, when it ends."""

from __future__ import annotations

import threading

import httpx
import pytest

import aml_magics
from aml_magics.embedded.server import Server
from aml_magics.model.errors import Conflict, InvalidInput
from aml_magics.model.secret import Secret
from aml_magics.notebook import extension
from aml_magics.wire.v1 import EMBEDDED_SCOPE
from tests.notebook.helpers import shown
from tests.support.loopback import listen_on_loopback
from tests.support.planted import planted

TOKEN = planted("chosen-token")
PIPELINES = f"/pipelines/v1.0{EMBEDDED_SCOPE}/Pipelines"


def ask(url, token="", path=PIPELINES):
    with httpx.Client(trust_env=False) as client:
        return client.get(url + path, headers={"Authorization": f"Bearer {token}"} if token else {})


def is_gone(url):
    try:
        ask(url)
    except httpx.ConnectError:
        return True
    return False


def test_it_serves_the_open_workspace_and_says_how_to_get_there(aml, folder):
    aml("pipeline publish train", "print(1)")
    served = aml("serve")
    assert [one["Name"] for one in ask(served.url, served.token.reveal()).json()] == ["train"]
    assert ask(served.url).status_code == 401
    text = shown(served)
    assert f"%aml connect {served.url} --token {{TOKEN}}" in text
    assert ".aml/served/token" in text
    assert "from azureml.core import Workspace" in text
    assert str(folder) not in text
    assert "CAUTION" not in text


def test_the_token_is_shown_when_it_is_asked_for_and_only_then(aml):
    served = aml("serve")
    token = served.token.reveal()
    assert token not in shown(served)
    again = aml("serve --show-token")
    assert token in shown(again)
    assert "clear this output" in shown(again)


def test_a_token_in_a_variable_is_taken_and_not_shown(aml):
    served = aml("serve --token {TOKEN}", TOKEN=TOKEN)
    assert TOKEN not in shown(served)
    assert ask(served.url, TOKEN).status_code == 200
    secret = Secret(TOKEN)
    assert aml("serve --token {secret}", secret=secret).url == served.url


def test_serving_again_gives_what_is_served_and_another_way_is_refused_by_name(aml):
    served = aml("serve")
    assert aml("serve").url == served.url
    port = int(served.url.rpartition(":")[2])
    assert aml(f"serve --port {port}").url == served.url
    for other in ("serve --tls", f"serve --port {port - 1}", "serve --token another-token"):
        with pytest.raises(Conflict, match="served already") as caught:
            aml(other)
        assert "--stop" in str(caught.value)
    assert ask(served.url, served.token.reveal()).status_code == 200


def test_stop_ends_it_and_leaves_the_workspace_open(aml):
    assert "No workspace is served" in shown(aml("serve --stop"))
    served = aml("serve")
    assert served.url in shown(aml("serve --stop"))
    assert is_gone(served.url)
    assert len(aml("pipeline list")) == 0
    assert aml("serve").url
    with pytest.raises(InvalidInput, match="takes nothing else"):
        aml("serve --stop --port 80")


@pytest.mark.parametrize("end", ["connect", "unload", "stop"])
def test_it_ends_with_the_workspace(aml, shell, folder, end):
    served = aml("serve")
    if end == "connect":
        (folder / "other").mkdir()
        aml("connect other")
    elif end == "unload":
        extension.unload(shell)
    else:
        served.stop()
    assert is_gone(served.url)


def test_reloading_the_extension_goes_on_serving(aml, shell):
    served = aml("serve")
    shell.extension_manager.loaded.add("aml_magics")
    shell.extension_manager.reload_extension("aml_magics")
    assert ask(served.url, served.token.reveal()).status_code == 200


def test_a_cell_that_computes_does_not_hold_callers_up(aml):
    served = aml("serve")
    token = served.token.reveal()
    enough = threading.Event()
    answers = []

    def others():
        answers.extend(ask(served.url, token).status_code for _ in range(5))
        enough.set()

    caller = threading.Thread(target=others)
    caller.start()
    while not enough.is_set():  # a cell in pure Python on the main thread
        sum(range(1000))
    caller.join()
    assert answers == [200] * 5


def test_others_being_able_to_reach_it_is_said_loudly(aml, monkeypatch):
    monkeypatch.setattr(Server, "_listener", listen_on_loopback)
    text = shown(aml("serve --host 0.0.0.0"))
    assert "CAUTION: other machines can reach this address" in text
    assert "in the clear" in text


def test_the_same_in_python(shell, folder):
    with_python = aml_magics.serve()
    try:
        assert aml_magics.connect().pipelines.list() == []
        assert ask(with_python.url, with_python.token.reveal()).status_code == 200
    finally:
        extension.unload(shell)
    assert is_gone(with_python.url)


def test_the_endpoint_of_a_pipeline_is_where_others_reach_it_while_it_is_served(aml):
    aml("pipeline publish train", "print(1)")
    assert "%aml serve opens one" in repr(aml("pipeline endpoint train").notes)
    served = aml("serve")
    address = aml("pipeline endpoint train")
    assert address.startswith(served.url)
    assert address.notes == ()
    headers = {"Authorization": f"Bearer {served.token.reveal()}"}
    with httpx.Client(trust_env=False) as client:
        run = client.post(str(address), json={"ExperimentName": "E"}, headers=headers).json()["Id"]
    assert aml("run wait {run} --timeout 60", run=run).status == "Finished"


def test_the_status_says_where_it_is_served(aml):
    served = aml("serve")
    assert served.url in shown(aml("status"))
    aml("serve --stop")
    assert served.url not in shown(aml("status"))


def test_a_run_of_what_nobody_published_goes_by_its_name(aml):
    served = aml("serve")
    headers = {"Authorization": f"Bearer {served.token.reveal()}"}
    base = f"{served.url}/pipelines/v1.0{EMBEDDED_SCOPE}/PipelineRuns"
    body = {"CreationInfo": {"Description": "tried out"}, "Graph": {}, "GraphInterface": {}}
    with httpx.Client(trust_env=False, headers=headers) as client:
        made = client.post(f"{base}/Unsubmitted/CreationInfoWithGraph?experimentName=E", json=body).json()
        assert client.post(f"{base}/Submit/{made['Id']}").status_code == 200
    assert list(aml("run list")["pipeline"]) == ["tried out"]
    assert len(aml("pipeline list --all")) == 0
