"""A real JupyterLab in a real Chromium, as a person has it, with no way out to the network.

::

    with Lab(folder) as lab, lab.browser() as page:
        with page.opened("01-first-schedule.ipynb"):
            page.run_all()
            print(page.outputs())
            print(page.python("1 + 1"))

The server and the browser's profile live in private folders and on loopback alone; every name but 127.0.0.1 is
unresolvable in the browser. The page is driven through JupyterLab's own commands, whose promises settle when the kernel
is done, so no test has to poll. Chromium is the system's; ``page.requests`` holds every address that was asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx
from playwright.sync_api import Dialog, sync_playwright
from playwright.sync_api import Page as BrowserPage

from tests.support.kernels import private_environment

PATIENCE = 90.0
CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
# No toast about news, no autosave behind the test's back, and every cell in the document also when it is out of sight.
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "doNotDisturbMode": True},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
OPENED = "name => window.jupyterapp?.shell?.currentWidget?.context?.path === name"
READY = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await window.jupyterapp.restored;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
}"""
SHUT_DOWN = "async () => await window.jupyterapp.serviceManager.sessions.shutdownAll()"
# Runs code in the kernel of the notebook that is open, past its cells; what it prints and gives is the answer.
PYTHON = """async code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({ code, store_history: false });
    let said = '';
    future.onIOPub = ({ content }) => {
        said += content.text ?? content.data?.['text/plain'] ?? '';
        if (content.ename) said = new Error(content.ename + ': ' + content.evalue);
    };
    await future.done;
    if (said instanceof Error) throw said;
    return said;
}"""
BEGIN = "code => { void window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code }); }"
THEME = "async theme => await window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
RESTART = "async () => await window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
RUN_ALL = "async () => await window.jupyterapp.commands.execute('notebook:run-all-cells')"
SAVE = "async () => await window.jupyterapp.commands.execute('docmanager:save')"
OUTPUTS = """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].map(cell => ({
    text: [...cell.querySelectorAll('.jp-OutputArea-output')].map(output => output.innerText).join('\\n'),
    errors: cell.querySelectorAll(
        '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.stderr"], ' +
        '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]').length,
    tables: cell.querySelectorAll('.jp-OutputArea-output table').length,
}))"""


class Lab:
    """One JupyterLab server whose files are ``folder``. The ``with`` block owns it and the kernels it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def __enter__(self) -> Self:
        self._private = Path(tempfile.mkdtemp(prefix="aml-lab-"))
        environment = private_environment(self._private)
        overrides = Path(environment["JUPYTER_CONFIG_DIR"]) / "labconfig" / "default_setting_overrides.json"
        overrides.parent.mkdir()
        overrides.write_text(json.dumps(SETTINGS))
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = (self._private / "server.log").open("w")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *self._options()],
            cwd=self.folder,
            env={**environment, "HOME": str(self._private)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.terminate()  # the server shuts its kernels down and goes
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
        self._log.close()
        shutil.rmtree(self._private)

    @contextmanager
    def browser(self) -> Iterator[Page]:
        """A new Chromium with one page."""
        executable = shutil.which("chromium")
        if executable is None:
            message = "Chromium is not installed: run 'make browser'"
            raise FileNotFoundError(message)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=executable, args=list(CHROMIUM_FLAGS), handle_sigterm=False
            )
            try:
                page = browser.new_page(viewport={"width": 1280, "height": 1000})
                page.set_default_timeout(PATIENCE * 1000)
                yield Page(page, self.address)
            finally:
                browser.close()

    def _options(self) -> list[str]:
        return [
            "--allow-root",
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.folder}",
            "--IdentityProvider.token=",
            "--LabApp.expose_app_in_browser=True",
            "--JupyterNotebookApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
            "--LanguageServerManager.autodetect=False",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._server.poll() is None:
            with suppress(httpx.ConnectError):
                httpx.get(f"{self.address}/api", timeout=PATIENCE, trust_env=False).raise_for_status()
                return
            with suppress(subprocess.TimeoutExpired):
                self._server.wait(0.2)
        message = f"JupyterLab did not start:\n{Path(self._log.name).read_text()[-3000:]}"
        raise TimeoutError(message)


class Page:
    """The browser's page. ``raw`` is Playwright's own object, for what is not here."""

    def __init__(self, raw: BrowserPage, address: str) -> None:
        self.raw = raw
        self.requests: list[str] = []
        self.address = address
        self.dialogs: list[str] = []
        raw.on("dialog", self._agree)
        raw.on("request", lambda request: self.requests.append(request.url))

    @contextmanager
    def opened(self, name: str, *, below: str = "lab/tree") -> Iterator[None]:
        """Open a notebook with a fresh layout, its kernel ready; at the end of the block its kernel is shut down.

        ``below``: the path that notebooks have, ``notebooks`` for Notebook 7, which the same server shows.
        """
        self._below = below
        try:
            self._open(name)
            yield
        finally:
            self.shut_kernels_down()

    def reload(self) -> None:
        """Load the page with the open notebook again, as F5 does; its kernel lives on."""
        self._open(self._name)

    def shut_kernels_down(self) -> None:
        """Kernel > Shut Down All Kernels."""
        self._evaluate(SHUT_DOWN)

    def restart_kernel(self) -> None:
        """Kernel > Restart, without the question."""
        self._evaluate(RESTART)

    def run_all(self, timeout: float = PATIENCE) -> None:
        """Run > Run All Cells, to the end."""
        self._evaluate(RUN_ALL, timeout=timeout)

    def python(self, code: str, timeout: float = PATIENCE) -> str:
        """Run code in the open notebook's kernel: what it printed, then its value's text. Raises what it raised."""
        return str(self._evaluate(PYTHON, code, timeout=timeout))

    def begin(self, code: str) -> None:
        """Start code in the open notebook's kernel and do not wait for it."""
        self._evaluate(BEGIN, code)

    def theme(self, name: str) -> None:
        """Settings > Theme."""
        self._evaluate(THEME, name)

    def save(self) -> None:
        """File > Save."""
        self._evaluate(SAVE)

    def outputs(self) -> list[dict[str, Any]]:
        """For each code cell its visible ``text``, and how many ``errors`` and ``tables`` it shows."""
        return list(self.raw.evaluate(OUTPUTS))

    def complete(self, text: str) -> list[str]:
        """Type ``text`` into a new last cell, press Tab, and read what is offered."""
        self._evaluate(
            "async () => { const run = command => window.jupyterapp.commands.execute(command);"
            " window.jupyterapp.shell.currentWidget.content.activeCellIndex ="
            " window.jupyterapp.shell.currentWidget.content.widgets.length - 1;"
            " await run('notebook:insert-cell-below'); await run('notebook:enter-edit-mode'); }"
        )
        self.raw.keyboard.type(text)
        self.raw.keyboard.press("Tab")
        offered = self.raw.locator(".jp-Completer:not(.lm-mod-hidden) .jp-Completer-item .jp-Completer-match")
        offered.first.wait_for(timeout=20_000)
        texts = offered.all_inner_texts()
        self.raw.keyboard.press("Escape")
        return texts

    def screenshot(self, path: Path) -> None:
        """Save what is visible as a PNG."""
        path.write_bytes(self.raw.screenshot())

    def outside_requests(self) -> list[str]:
        """Addresses asked for that are not the server's own. Data and blob addresses stay in the browser."""
        own = (self.address, self.address.replace("http", "ws", 1), "data:", "blob:", "about:")
        return [url for url in self.requests if not url.startswith(own)]

    def _agree(self, dialog: Dialog) -> None:
        """Yes to whatever is asked, above all to leaving a page with changes: nobody else answers."""
        self.dialogs.append(dialog.type)
        dialog.accept()

    def _open(self, name: str) -> None:
        self._name = name
        self.raw.goto(f"{self.address}/{self._below}/{name}?reset")
        self.raw.wait_for_function(OPENED, arg=name)
        self._evaluate(READY)
        self.raw.locator("#jupyterlab-splash").wait_for(state="detached")

    def _evaluate(self, script: str, argument: object = None, *, timeout: float = PATIENCE) -> Any:
        # Playwright's evaluate waits for a promise without limit, so the limit is raced in the page.
        raced = (
            f"async (argument) => Promise.race([({script})(argument), new Promise((_, refuse) =>"
            f" setTimeout(() => refuse(new Error('nothing within {timeout} s')), {timeout * 1000}))])"
        )
        return self.raw.evaluate(raced, argument)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
