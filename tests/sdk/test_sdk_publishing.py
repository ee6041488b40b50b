"""Microsoft's own SDK v1, unmodified, publishes scripts, and they run with the very content that was sent."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.sdk.conftest import HERE, MINUTES


@pytest.fixture
def tls_folder():
    """Without one, the workspace is served over plain http."""
    return


@pytest.fixture
def served(tmp_path, monkeypatch, tls_folder):
    """As the other programs have it, over TLS when there is a folder for the certificate."""
    root = tmp_path / "workspace"
    root.mkdir()
    command = [sys.executable, str(HERE / "serve_embedded.py"), str(root), *([str(tls_folder)] if tls_folder else [])]
    if tls_folder:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls_folder / "ca.pem"))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline()
            assert line, "the workspace did not start"
            yield json.loads(line), root
        finally:
            server.stdin.close()
            assert server.wait(timeout=30) == 0


class TestOverTls:
    @pytest.fixture
    def tls_folder(self, tmp_path):
        return tmp_path / "tls"

    @pytest.mark.timeout(MINUTES + 60)
    def test_scripts_are_uploaded_from_wherever_they_are_and_run(self, drive, served, tmp_path):
        _about, root = served
        (tmp_path / "sources").mkdir()

        printed = drive("drive_publishing.py", str(root), str(tmp_path / "sources"))

        assert printed.rstrip().endswith("publishing works")


class TestOverPlainHttp:
    @pytest.mark.timeout(MINUTES + 60)
    def test_scripts_that_lie_below_the_workspaces_folder_are_found_and_run(self, drive, served):
        _about, root = served
        (root / "sources").mkdir()

        printed = drive("drive_publishing.py", str(root), str(root / "sources"))

        assert printed.rstrip().endswith("publishing works")
