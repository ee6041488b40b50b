"""What only a real kernel shows: messages, interrupts, the saved error."""

from __future__ import annotations

import pytest

from tests.notebook.helpers import TRAIN
from tests.support.kernels import Kernel

SLOW = "%%aml pipeline publish slow\nimport time\nprint('begun', flush=True)\ntime.sleep(600)\n"
# Only an interrupt that comes after the magic has begun tests the magic.
SAYS_WHEN_IT_IS_READ = """
class Slow:
    @property
    def name(self):
        print("waiting", flush=True)
        return "slow"


slow = Slow()
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Kernel(tmp_path_factory.mktemp("kernel")) as kernel:
        assert kernel.run("%load_ext aml_magics").messages[-1].kind == "status"
        kernel.run(f"%%aml pipeline publish train --parameter learning_rate=0.1\n{TRAIN}")
        yield kernel
        kernel.run("%unload_ext aml_magics")


def test_loading_again_says_nothing(kernel):
    cell = kernel.run("%reload_ext aml_magics")
    assert (cell.stdout, cell.stderr, cell.outputs) == ("", "", [])


def test_an_error_is_an_error_message_with_its_own_name_and_text(kernel):
    cell = kernel.run("%aml pipeline show trian", check=False)
    assert cell.error.name == "NotFound"
    assert cell.error.value == "there is no pipeline 'trian'. Did you mean 'train'?"
    assert cell.error.traceback == f"NotFound: {cell.error.value}"
    assert cell.reply["status"] == "error"
    assert "Traceback" in kernel.run("%tb", check=False).error.traceback


def test_a_result_has_text_and_html_and_an_assignment_shows_nothing(kernel):
    bundle = kernel.run("%aml pipeline list").outputs[0]
    assert "train" in bundle["text/plain"]
    assert "<table>" in bundle["text/html"]
    assert kernel.run("df = %aml pipeline list").outputs == []
    assert kernel.run("type(df).__mro__[1].__name__").text == "'DataFrame'"
    assert kernel.run("%aml pipeline list ;").outputs == []


def test_tab_completes_in_a_kernel(kernel):
    assert kernel.complete("%aml sched") == ["schedule"]
    assert kernel.complete("x = %aml pipeline show tr") == ["train"]
    assert kernel.complete("%%aml schedule create X --frequency Mi") == ["Minute"]


@pytest.mark.parametrize("line", ["run wait {slow.name}", "run logs {slow.name} --follow"])
def test_an_interrupt_ends_the_waiting_and_leaves_the_run_alone(kernel, line):
    kernel.run(SLOW)
    kernel.run("run = %aml pipeline submit slow")
    kernel.run(SAYS_WHEN_IT_IS_READ)
    cell = kernel.start(f"%aml {line}")
    kernel.wait_for(lambda message: message.parent == cell.request and "waiting" in str(message.content.get("text")))
    kernel.interrupt()
    error = cell.wait().error
    assert error.name == "KeyboardInterrupt"
    assert error.traceback == "KeyboardInterrupt: the command was interrupted; what had been started goes on."
    assert "Traceback" in kernel.run("%tb", check=False).error.traceback
    shown = kernel.run("%aml run show {run}").text
    assert "Running" in shown or "NotStarted" in shown
    kernel.run("%aml run cancel {run}")
    assert "Canceled" in kernel.run("%aml run wait {run} --timeout 60").text


def test_nothing_in_the_background_prints(kernel):
    kernel.run("%aml schedule create often --pipeline train --every '1 second'")
    kernel.run("runs = %aml schedule runs often")
    cell = kernel.run("import time\nwhile len(runs) < 2:\n    runs = %aml schedule runs often\n    time.sleep(0.1)")
    kernel.run("%aml schedule disable often")
    assert (cell.stdout, cell.stderr, cell.outputs) == ("", "", [])


def test_a_long_wait_shows_one_line_that_changes_and_a_short_one_none(kernel):
    kernel.run("%%aml pipeline publish two\nimport time\ntime.sleep(2.5)\n")
    kernel.run("run = %aml pipeline submit two")
    cell = kernel.run("%aml run wait {run}")
    shown = [one for one in cell.messages if one.kind in ("display_data", "update_display_data")]
    texts = [one.content["data"]["text/plain"] for one in shown]
    assert [one.kind for one in shown][:2] == ["display_data", "update_display_data"]
    assert sum(one.kind == "display_data" for one in shown) == 1
    assert len({one.content["transient"]["display_id"] for one in shown}) == 1
    assert texts[0].endswith(": 1 s …")
    assert "done after" in texts[-1]
    again = kernel.run("%aml run wait {run}")
    assert not [one for one in again.messages if one.kind == "display_data"]
