from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from aml_magics.notebook import extension

HEAVY = ("pandas", "numpy", "azure", "httpx", "ipywidgets", "starlette", "croniter", "yaml", "sqlite3", "watchfiles")


def in_a_fresh_process(code, folder):
    script = textwrap.dedent(code)
    environment = {**os.environ, "IPYTHONDIR": str(folder / "ipython"), "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment,
        timeout=60,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_loading_is_silent_and_imports_next_to_nothing(tmp_path):
    found = in_a_fresh_process(
        """
        import contextlib, io, json, os, socket, sys, threading
        from traitlets.config import Config
        from IPython.core.interactiveshell import InteractiveShell
        config = Config()
        config.HistoryManager.enabled = False
        shell = InteractiveShell.instance(config=config)
        shell.run_line_magic("config", "")
        getattr(shell.magics_manager, 'load_all_lazy_magics', int)()
        here, modules, threads = sorted(os.listdir(".")), set(sys.modules), threading.active_count()
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            shell.run_line_magic("load_ext", "aml_magics")
        print(json.dumps({
            "new": sorted(set(sys.modules) - modules),
            "said": said.getvalue(),
            "files": sorted(os.listdir(".")) == here,
            "threads": threading.active_count() - threads,
        }))
        """,
        tmp_path,
    )
    assert found["said"] == ""
    assert found["new"] == ["aml_magics", "aml_magics.notebook", "aml_magics.notebook.extension"]
    assert found["files"]
    assert found["threads"] == 0


def test_help_and_completion_load_nothing_heavy(tmp_path):
    found = in_a_fresh_process(
        """
        import json, sys
        from IPython.core.completer import provisionalcompleter
        from traitlets.config import Config
        from IPython.core.interactiveshell import InteractiveShell
        config = Config()
        config.HistoryManager.enabled = False
        shell = InteractiveShell.instance(config=config)
        shell.run_line_magic("load_ext", "aml_magics")
        shell.run_line_magic("aml", "schedule create --help")
        text = "%aml schedule create X --time-zone "
        with provisionalcompleter():
            assert list(shell.Completer.completions(text, len(text)))
        print(json.dumps(sorted(sys.modules)))
        """,
        tmp_path,
    )
    assert not (set(HEAVY) - {"sqlite3"}) & set(found)
    assert sorted(os.listdir(tmp_path)) in (["ipython"], [".ipython", "ipython"], [])


def ours(shell):
    manager = shell.magics_manager
    return {
        "line": "aml" in manager.magics["line"],
        "cell": "aml" in manager.magics["cell"],
        "registry": sum(name == "AmlMagics" for name in manager.registry),
        "configurables": sum(type(one).__name__ == "AmlMagics" for one in shell.configurables),
        "matchers": sum("aml" in getattr(one, "matcher_identifier", "") for one in shell.Completer.custom_matchers),
        "session": hasattr(shell, "_aml_magics_session"),
    }


ONE = {"line": True, "cell": True, "registry": 1, "configurables": 1, "matchers": 1, "session": False}
NONE = {"line": False, "cell": False, "registry": 0, "configurables": 0, "matchers": 0, "session": False}


def test_five_reloads_leave_one_of_each_and_unload_leaves_none(shell):
    shell.run_line_magic("load_ext", "aml_magics")
    for _ in range(5):
        shell.run_line_magic("reload_ext", "aml_magics")
    assert ours(shell) == ONE
    shell.run_line_magic("unload_ext", "aml_magics")
    assert ours(shell) == NONE


def test_loading_takes_away_what_a_load_without_unload_left(shell):
    for _ in range(3):
        extension.load(shell)
    assert ours(shell) == ONE


def test_unloading_twice_or_without_loading_is_harmless(shell):
    extension.unload(shell)
    extension.unload(shell)
    assert ours(shell) == NONE


def test_somebody_elses_magic_of_that_name_is_left_alone_by_unload(shell):
    shell.register_magic_function(lambda line: "theirs", "line", "aml")
    extension.unload(shell)
    assert shell.run_line_magic("aml", "") == "theirs"
    del shell.magics_manager.magics["line"]["aml"]


def test_unloading_closes_the_session(shell):
    class Session:
        closed = 0

        def close(self):
            self.closed += 1

    session = Session()
    extension.load(shell)
    setattr(shell, extension._SESSION, session)
    extension.unload(shell)
    assert session.closed == 1
    assert ours(shell) == NONE


def test_the_session_is_kept_where_the_session_module_looks_for_it():
    from aml_magics.session import SHELL_ATTRIBUTE

    assert extension._SESSION == SHELL_ATTRIBUTE


def test_config_documents_every_setting_with_its_value(shell, capsys):
    extension.load(shell)
    shell.run_line_magic("config", "AmlMagics")
    said = capsys.readouterr().out
    for name in ("displaylimit", "timezone", "complete_names"):
        assert f"AmlMagics.{name}" in said
        assert getattr(extension.AmlMagics, name).help
    shell.run_line_magic("config", "AmlMagics.displaylimit = 7")
    assert shell.magics_manager.registry["AmlMagics"].displaylimit == 7


def test_a_zone_that_does_not_exist_is_refused_with_the_nearest(shell):
    from traitlets import TraitError

    extension.load(shell)
    magics = shell.magics_manager.registry["AmlMagics"]
    magics.timezone = "E. South America Standard Time"
    with pytest.raises(TraitError, match="America/Sao_Paulo"):
        magics.timezone = "America/Sao_Paolo"
    assert magics.timezone == "E. South America Standard Time"


def test_bare_aml_shows_the_cheat_sheet_without_quotes(shell, capsys):
    extension.load(shell)
    shell.run_cell("%aml", store_history=False)
    said = capsys.readouterr().out
    assert "%aml NOUN VERB" in said
    assert "\\n" not in said


def test_an_error_is_one_line_and_tb_shows_the_whole_of_it(shell, capsys):
    extension.load(shell)
    result = shell.run_cell("%aml shedule list", store_history=False)
    said = capsys.readouterr()
    assert result.error_in_exec is not None
    assert (said.out + said.err).strip() == (
        "InvalidInput: %aml has no command 'shedule'. Did you mean 'schedule'? %aml --help shows all."
    )
    shell.run_cell("%tb", store_history=False)
    assert "Traceback" in capsys.readouterr().out


def test_a_semicolon_hides_the_result_and_an_option_keeps_it(shell, capsys):
    extension.load(shell)
    shell.run_cell("%aml --help;", store_history=False)
    assert capsys.readouterr().out == ""
    shell.run_cell("page = %aml schedule --help", store_history=False)
    assert "preview" in shell.user_ns["page"]


@pytest.mark.parametrize("body", ["a: [1\n", "x: 'it\n  b\n c\n", "it's;\n", "((("])
def test_a_body_that_python_cannot_read_is_no_concern_of_the_shell(shell, body):
    # IPython's own decorator for a trailing semicolon tokenises the body as Python after the magic has run.
    extension.load(shell)
    result = shell.run_cell(f"%%aml help\n{body}", store_history=False)
    assert result.error_in_exec is None
    assert "%aml NOUN VERB" in result.result


def test_variables_of_the_calling_function_are_seen(shell):
    extension.load(shell)
    result = shell.run_cell("def ask(which):\n    %aml schedule show {whcih}\nask('x')", store_history=False)
    assert "Did you mean 'which'" in str(result.error_in_exec)
