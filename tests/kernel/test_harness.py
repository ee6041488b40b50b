"""The harness around real kernels tells the truth: what the acceptance tests say about kernels rests on it."""

from __future__ import annotations

import psutil
import pytest

from tests.support.kernels import Kernel
from tests.support.planted import planted


def test_a_cell_gives_its_streams_its_value_and_its_error(tmp_path):
    with Kernel(tmp_path) as kernel:
        cell = kernel.run("import sys\nprint('to out')\nprint('to err', file=sys.stderr)\n6 * 7")
        assert (cell.stdout, cell.stderr, cell.text) == ("to out\n", "to err\n", "42")
        failed = kernel.run("1 / 0", check=False)
        assert failed.error.name == "ZeroDivisionError"
        assert failed.reply["status"] == "error"
        with pytest.raises(AssertionError, match="ZeroDivisionError"):
            kernel.run("1 / 0")
        assert "pathlib" in kernel.complete("import pathl")


def test_a_kernel_runs_in_the_folder_it_was_given_and_jupyter_writes_nothing_there(tmp_path):
    with Kernel(tmp_path, environment={"AML_MAGICS_COLOUR": "red"}) as kernel:
        cell = kernel.run("import os; os.getcwd(), os.environ['AML_MAGICS_COLOUR'], os.environ['IPYTHONDIR']")
        folder, colour, ipython = eval(cell.text)
        assert (folder, colour) == (str(tmp_path), "red")
        assert not ipython.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_output_is_on_record_while_the_cell_still_runs_and_an_interrupt_ends_it(tmp_path):
    with Kernel(tmp_path) as kernel:
        cell = kernel.start("import threading\nprint('waiting', flush=True)\nthreading.Event().wait()")
        kernel.wait_for(lambda message: message.kind == "stream" and message.parent == cell.request)
        assert cell.stdout == "waiting\n"
        kernel.interrupt()
        assert cell.wait().error.name == "KeyboardInterrupt"


def test_what_a_thread_says_between_two_cells_is_on_record_too(tmp_path):
    with Kernel(tmp_path) as kernel:
        kernel.run("import threading\nfrom IPython.display import display\nshown = display('a', display_id=True)")
        cell = kernel.run("threading.Timer(0.2, lambda: shown.update('b')).start()")
        update = kernel.wait_for(lambda message: message.kind == "update_display_data")
        assert update.content["data"]["text/plain"] == "'b'"
        end = next(message for message in cell.messages if message.idle_of(cell.request))
        assert update.arrived > end.arrived


def test_a_restart_gives_a_new_process_that_knows_nothing(tmp_path):
    with Kernel(tmp_path) as kernel:
        kernel.run("known = 1")
        before = kernel.pid
        kernel.restart()
        assert kernel.pid != before
        assert not psutil.pid_exists(before)
        assert kernel.run("known", check=False).error.name == "NameError"


def test_a_killed_kernel_is_dead_at_once_and_another_may_follow_in_the_same_folder(tmp_path):
    with Kernel(tmp_path) as first:
        first.run("open('mark', 'w').write('here')")
        first.kill()
        assert not first.alive()
        with pytest.raises(TimeoutError, match="alive: False"):
            first.run("1")
        with Kernel(tmp_path) as second:
            assert second.run("open('mark').read()").text == "'here'"


def test_a_polite_shutdown_is_timed_and_runs_what_was_registered_for_it(tmp_path):
    with Kernel(tmp_path) as kernel:
        kernel.run("import atexit; atexit.register(lambda: open('bye', 'w').close())")
        assert kernel.shut_down() < 5
        assert (tmp_path / "bye").exists()
        assert not kernel.alive()


def test_a_planted_secret_in_what_a_kernel_writes_is_found(tmp_path):
    secret = planted("in-the-log")
    with pytest.raises(AssertionError, match="a planted secret is in the kernel's log"), Kernel(tmp_path) as kernel:
        kernel.run(f"import os; os.write(2, {secret.encode()!r})")
