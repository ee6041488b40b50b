"""Microsoft's own SDK v1, unmodified, publishes scripts, and they run with the very content that was sent."""

from __future__ import annotations

import pytest

from tests.sdk.conftest import MINUTES, serving


class TestOverTls:
    @pytest.fixture
    def served(self, tmp_path):
        with serving(tmp_path / "workspace", "tls") as about:
            yield about, tmp_path / "workspace"

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
