"""A workspace that another kernel serves, and a service that behaves badly, as a person in a notebook meets them."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from aml_magics.model.secret import Secret
from aml_magics.session import Session
from tests.support import notebooks
from tests.support.hostile import Hostile
from tests.support.kernels import Kernel
from tests.support.planted import MARK, found_below, planted

TOKEN = planted("kernel-token")
CONNECT = """
import os
TOKEN, URL = os.environ["TOKEN"], os.environ["URL"]
%load_ext aml_magics
%aml connect {URL} --token {TOKEN}
"""


@pytest.fixture
def served(tmp_path_factory):
    """A workspace with one pipeline, served from this process."""
    session = Session()
    session.connect(tmp_path_factory.mktemp("served")).pipelines.publish(source="print('trained')", name="train")
    yield session.serve(token=Secret(TOKEN))
    session.close()


@contextmanager
def before(served):
    address = urlsplit(served.url)
    with Hostile((address.hostname, address.port)) as proxy:
        yield proxy


def test_an_interrupt_ends_a_verb_whose_service_only_trickles(served, tmp_path):
    with before(served) as proxy, Kernel(tmp_path, environment={"TOKEN": TOKEN, "URL": proxy.url}) as kernel:
        kernel.run(CONNECT)
        kernel.run("%xmode Verbose")
        proxy.be("slow bytes", pace=3600)  # whoever waits for the answer waits for weeks
        for line in ("%aml pipeline list", "%aml pipeline submit train", "%aml doctor", CONNECT + "%aml connect {URL}"):
            proxy.was_asked.clear()
            cell = kernel.start(line)
            assert proxy.was_asked.wait(30)
            kernel.interrupt()
            assert cell.wait().error.name == "KeyboardInterrupt"
            assert MARK not in cell.error.traceback
        proxy.be("")
        assert "train" in kernel.run("found = %aml pipeline list\nprint(found)").stdout


class Echo(BaseHTTPRequestHandler):
    """A service that quotes what it was sent in its error."""

    def do_GET(self):
        sent = self.headers.get("Authorization", "")
        body = json.dumps({"error": {"code": "Odd", "message": f"no good: {sent}, that is {sent.partition(' ')[2]}"}})
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_facts):
        pass


@pytest.fixture
def echo():
    """The address of an ``Echo``."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


STORY = [
    "import os\nTOKEN, WRONG, OTHER, URL, ECHO = (os.environ[name] for name in 'TOKEN WRONG OTHER URL ECHO'.split())",
    "%load_ext aml_magics",
    "%xmode Verbose",
    "%aml connect {URL} --token {TOKEN}",
    "connected = %aml connect {URL} --token {TOKEN}\nconnected.value",
    "%aml status",
    "%aml doctor",
    "run = %aml pipeline submit train\n",
    "%aml run wait {run}",
    "%aml run list",
    "%aml connect {URL} --token {WRONG}",
    "%tb",
    "%aml connect {ECHO} --token {TOKEN}",
    "%tb",
    "%aml pipeline show nonsuch",
    "%tb",
    "%aml connect .",
    "served = %aml serve --token {OTHER}\nserved",
    "served.value, str(served.token), f'{served.token}', [served.token]",
    "import pandas as pd\npd.DataFrame({'token': [served.token]})",
    "%aml serve --token {WRONG}",
    "%tb",
    "%aml serve --port 1 --token {OTHER}",
    "%aml connect {served.url} --token {WRONG}",
    "%tb",
    "%aml datastore list",
    "import logging\nlogging.basicConfig(filename='all.log', level=logging.DEBUG, force=True)",
    "%aml connect {URL} --token {TOKEN}",
    "%aml pipeline list",
    "%aml connect {ECHO} --token {TOKEN}",
]


def test_a_saved_notebook_its_logs_and_its_database_hold_no_secret(served, echo, tmp_path, monkeypatch):
    secrets = {"TOKEN": TOKEN, "WRONG": planted("wrong-token"), "OTHER": planted("other-token")}
    for name, value in {**secrets, "URL": served.url, "ECHO": echo}.items():
        monkeypatch.setenv(name, value)
    cells = [new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in STORY]
    nbformat.write(new_notebook(cells=cells), tmp_path / "story.ipynb")
    (tmp_path / "run").mkdir()

    executed = notebooks.execute(tmp_path / "story.ipynb", tmp_path / "run")

    told = " ".join(notebooks.errors(executed))
    for words in ("refuses this token", "no good: Bearer ***, that is ***", "no pipeline", "served already"):
        assert words in told
    assert "Connected to the workspace" in notebooks.text(executed)
    assert (tmp_path / "run" / "all.log").stat().st_size > 0
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert {".ipynb", ".db", ".log"} <= {path.suffix for path in written}
    assert found_below(tmp_path) == []
