"""Microsoft's own SDK v1, unmodified, does the whole article against a workspace that we serve on loopback."""

from __future__ import annotations

import pytest

from tests.sdk.conftest import MINUTES


@pytest.mark.timeout(MINUTES + 60)
def test_microsofts_sdk_does_the_article_on_an_embedded_workspace(drive, served):
    about, root = served
    pipelines = about["pipelines"]

    printed = drive("drive_with_sdk.py", pipelines["train"], pipelines["idle"], str(root))

    assert printed.rstrip().endswith("the article works")
