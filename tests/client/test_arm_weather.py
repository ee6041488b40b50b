"""Every verb on Logic Apps and data factories, in any weather: success or one clear line, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from aml_magics.model.errors import AmlError
from tests.support import exports
from tests.support.arm_bed import TOKEN, ArmBed

NAME = "MyReactiveSchedule"
HTML = {"content-type": "text/html"}
JSON = {"content-type": "application/json"}
WEATHER: dict[str, Callable[[], httpx.Response | Exception]] = {
    "too many requests": lambda: httpx.Response(429, headers={"retry-after": "1"}),
    "too many for long": lambda: httpx.Response(429, headers={"retry-after": "3600"}),
    "an error": lambda: httpx.Response(500, json={"error": {"code": "x", "message": "out\nof order"}}),
    "a gateway's page": lambda: httpx.Response(502, content=b"<html>", headers=HTML),
    "a refused token": lambda: httpx.Response(401, json={"error": {"code": "x", "message": f"bad {TOKEN}"}}),
    "no right": lambda: httpx.Response(403, json={"error": {"code": "AuthorizationFailed", "message": "no"}}),
    "not there": lambda: httpx.Response(404, json={"error": {"code": "NotFound", "message": "no"}}),
    "in the way": lambda: httpx.Response(409, json={"error": {"code": "Conflict", "message": "no"}}),
    "refused": lambda: httpx.Response(400, json={"error": {"code": "BadRequest", "message": "no"}}),
    "a login page": lambda: httpx.Response(200, content=b"<html>", headers=HTML),
    "broken JSON": lambda: httpx.Response(200, content=b'{"value": [', headers=JSON),
    "other JSON": lambda: httpx.Response(200, json={"unheard": ["of"]}),
    "a list": lambda: httpx.Response(200, json=[1, None]),
    "nothing": lambda: httpx.Response(204),
    "accepted, and no word where to look": lambda: httpx.Response(202),
    "another address": lambda: httpx.Response(307, headers={"location": "https://evil.example"}),
    "a broken connection": lambda: httpx.ReadError("gone"),
    "no network": lambda: httpx.ConnectError("no route"),
    "silence": lambda: httpx.ReadTimeout("slow"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    return (
        str(exports.written(exports.logic_app(), folder / "l")),
        str(exports.written(exports.data_factory(), folder / "f")),
    )


def verbs(bed: ArmBed, folders: tuple[str, str]) -> list[Callable[[], object]]:
    apps, factories, place = bed.logic_apps, bed.data_factories, {"factory": "etl"}
    given = {"folderPath": "c", "fileName": "f"}
    return [
        apps.list,
        lambda: apps.get(NAME),
        lambda: apps.plan(folders[0]),
        lambda: apps.deploy(folders[0], enable=True, roles=True),
        lambda: apps.enable(NAME),
        lambda: apps.disable(NAME),
        lambda: apps.runs(NAME),
        lambda: apps.work(NAME, "r"),
        lambda: apps.history(NAME),
        lambda: apps.fire(NAME),
        lambda: factories.list(**place),
        lambda: factories.pipelines(**place),
        lambda: factories.get(NAME, **place),
        lambda: factories.plan(folders[1], **place),
        lambda: factories.deploy(folders[1], start=True, **place),
        lambda: factories.start(NAME, **place),
        lambda: factories.stop(NAME, **place),
        lambda: factories.runs(NAME, **place),
        lambda: factories.work("r", **place),
        lambda: factories.history(NAME, **place),
        lambda: factories.fire(NAME, parameters=given, **place),
    ]


@pytest.mark.parametrize("after", [0, 4], ids=["from the first request", "from the fifth"])
@pytest.mark.parametrize("weather", WEATHER)
def test_every_verb_ends_in_one_line_or_in_success(folders, weather, after):
    bed = ArmBed()
    bed.stand_in.add_factory("etl")
    bed.logic_apps.deploy(folders[0], enable=True)
    bed.data_factories.deploy(folders[1], start=True)
    bed.stand_in.created.clear()
    for number, verb in enumerate(verbs(bed, folders)):
        bed.wire.asked.clear()
        bed.wire.tells.clear()
        fired = bed.stand_in.fired.total()
        created = bed.stand_in.created.copy()

        def turn(_call: str) -> None:
            if len(bed.wire.asked) > after and not bed.wire.tells:
                bed.tell("", WEATHER[weather](), times=-1)

        bed.wire.hooks[:] = [turn]
        try:
            verb()
        except AmlError as error:
            text = str(error)
            if "\n" in text or not error.hint or TOKEN in text:
                pytest.fail(f"verb {number}: {text!r} / {error.hint!r}")
        assert bed.stand_in.fired.total() - fired <= 1
        assert max((bed.stand_in.created - created).values(), default=0) <= 1
        assert bed.asked("^POST .*(/run|createRun)$") <= 1
    assert bed.stand_in.violations == []
