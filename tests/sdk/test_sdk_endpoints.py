"""Microsoft's own SDK v1, unmodified, with pipeline endpoints, schedules on them and pipeline drafts."""

from __future__ import annotations

import pytest

from tests.sdk.conftest import MINUTES


@pytest.mark.timeout(MINUTES + 60)
def test_microsofts_sdk_works_with_pipeline_endpoints_and_drafts_of_an_embedded_workspace(drive, served):
    about, _root = served
    pipelines = about["pipelines"]

    printed = drive("drive_endpoints.py", pipelines["train"], pipelines["idle"])

    assert printed.rstrip().endswith("endpoints and drafts work")
