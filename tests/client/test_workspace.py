"""``Workspace`` itself: cheap to import and to show, closed once, interrupted cleanly."""

import asyncio
import signal
import subprocess
import sys
import threading

import pytest

from aml_magics.background import Background
from aml_magics.client.workspace import Workspace, open_embedded
from aml_magics.model.errors import NotConnected
from tests.client.conftest import client_of


def test_importing_the_package_does_not_import_httpx():
    script = (
        "import sys, aml_magics\n"
        "import aml_magics.client.workspace\n"
        "heavy = {'httpx', 'starlette', 'pandas', 'IPython', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import aml_magics.client.v1, aml_magics.client.v1_runs\n"
        "assert 'httpx' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_httpx_is_imported_in_one_module_only(root):
    users = [path.name for path in (root / "aml_magics").rglob("*.py") if "import httpx" in path.read_text()]
    assert users == ["transport.py"]


def test_showing_a_workspace_and_its_parts_asks_nothing(service, ws):
    shown = [repr(part) for part in (ws, ws.experiments, ws.datastores, ws.pipelines, ws.schedules, ws.runs)]
    assert shown[0] == "<Workspace 'w' at https://w.example>"
    assert shown[1] == "<Experiments of the workspace at https://w.example>"
    assert service.requests == []


def test_a_closed_workspace_says_so_and_is_closed_once(service, waits, runner):
    closed = []
    ws = Workspace(
        client_of(service, waits), runner.run, name="w", location="here", close=lambda: closed.append("closed")
    )
    with ws as same:
        assert same is ws
    ws.close()
    assert closed == ["closed"]
    assert repr(ws) == "<Workspace 'w' at here, closed>"
    with pytest.raises(NotConnected, match="closed"):
        ws.pipelines.list()


def test_a_workspace_whose_loop_was_stopped_by_somebody_else_is_closed(service, waits):
    background = Background()
    ws = Workspace(client_of(service, waits), background.call, name="w", location="here")
    assert ws.experiments.list() == []
    background.stop()
    with pytest.raises(NotConnected, match="closed"):
        ws.experiments.list()
    ws.close()


def test_closing_a_workspace_whose_loop_is_gone_is_harmless(service, waits):
    background = Background()
    closed = []
    ws = Workspace(
        client_of(service, waits), background.call, name="w", location="here", close=lambda: closed.append("closed")
    )
    background.stop()
    ws.close()
    assert closed == ["closed"]


def test_what_an_owner_closes_may_close_the_workspace_in_turn(service, waits, runner):
    workspaces = []

    def close():
        workspaces[0].close()

    workspaces.append(Workspace(client_of(service, waits), runner.run, name="w", location="here", close=close))
    workspaces[0].close()


def test_an_interrupt_cancels_the_request_and_the_workspace_goes_on():
    started, cancelled = threading.Event(), threading.Event()
    answers = [b'{"value": []}']

    async def app(scope, receive, send):
        if not started.is_set():
            started.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answers[0]})

    background = Background()
    ws = open_embedded(app, background.call, location="here", close=background.stop)

    def interrupt():
        started.wait(10)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    helper = threading.Thread(target=interrupt)
    helper.start()
    with pytest.raises(KeyboardInterrupt):
        ws.experiments.list()
    helper.join(10)
    assert cancelled.wait(5)
    assert ws.experiments.list() == []
    ws.close()
    assert not background.running


def test_what_goes_on_beside_the_caller_ends_before_the_client_is_closed(service, waits):
    background = Background()
    client = client_of(service, waits)
    ws = Workspace(client, background.call, name="w", location="here", spawn=background.spawn, close=background.stop)
    order = []
    began = threading.Event()

    async def go_on(same):
        assert same is client
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            order.append("ended")

    close = client.close

    async def closed():
        order.append("closed")
        await close()

    client.close = closed
    future = ws.spawn(go_on)
    assert began.wait(10)
    assert ws.ask(lambda _client: asyncio.sleep(0, "answer")) == "answer"
    ws.close()
    assert order == ["ended", "closed"]
    assert future.cancelled()
    for ask in (ws.spawn, ws.ask):
        with pytest.raises(NotConnected):
            ask(go_on)
