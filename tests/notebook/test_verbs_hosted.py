"""``%aml logic-app`` and ``%aml data-factory`` on a workspace of Azure, as a cell sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aml_magics.client import discovery
from aml_magics.session import session_of
from tests.support import exports
from tests.support.arm_stand_in import ArmStandIn
from tests.support.azure_bed import AzureBed, azure_bed

CONNECT = "connect --config {config} --cloud {cloud} --ca {ca} --credential {credential}"


@pytest.fixture
def bed(aml, tmp_path_factory, monkeypatch) -> Iterator[AzureBed]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    discovery._IN_THIS_PROCESS.clear()
    with azure_bed(tmp_path_factory.mktemp("azure")) as made:
        yield made
        session_of(aml.shell).close()  # before the server goes
        assert made.stand_in.beside.violations == []


@pytest.fixture
def beside(bed) -> ArmStandIn:
    return bed.stand_in.beside


@pytest.fixture
def azure(aml, bed, folder):
    """The magic, connected to the stand-in, in a folder with an export of each kind."""
    exports.written(exports.logic_app(), folder / "MyReactiveSchedule-logic-app")
    exports.written(exports.data_factory(), folder / "MyReactiveSchedule-data-factory")
    aml(
        CONNECT,
        config=bed.write_config(folder),
        cloud=bed.stand_in.base,
        ca=bed.ca,
        credential=bed.credential,
    )
    return aml


def test_look(azure, beside):
    print(azure("logic-app deploy MyReactiveSchedule --dry-run"))
    print(azure("logic-app deploy MyReactiveSchedule"))
    print(azure("logic-app deploy MyReactiveSchedule --enable --roles"))
    print(azure("logic-app list"))
    print(azure("logic-app show MyReactiveSchedule"))
    print(azure("logic-app history MyReactiveSchedule"))
    print(azure("logic-app trigger MyReactiveSchedule"))
    print(azure("logic-app disable MyReactiveSchedule"))
    beside.add_factory("etl")
    print(azure("data-factory deploy MyReactiveSchedule --dry-run"))
    print(azure("data-factory deploy MyReactiveSchedule --start"))
    print(azure("data-factory deploy MyReactiveSchedule"))
    print(azure("data-factory list"))
    print(azure("data-factory show MyReactiveSchedule"))
    print(azure("data-factory history MyReactiveSchedule"))
    print(azure("data-factory trigger MyReactiveSchedule --parameter folderPath=a --parameter fileName=b"))
    print(azure("data-factory stop MyReactiveSchedule"))
    print(beside.created, beside.switched)
