"""``%load_ext aml_magics``: the thin class behind ``%aml`` and ``%%aml``.

Loading prints nothing, opens nothing and imports nothing but this module; the grammar comes with the first command,
pandas and the client with the first one that needs them. Nothing lives in module globals, since ``%reload_ext`` and
autoreload run modules again: the magics object is found in the shell's registry, the session on the shell. Loading
always takes away what it finds first, so five reloads leave one of each.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from traitlets import Bool, Int, List, TraitError, Unicode, validate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from aml_magics.notebook.call import Surroundings
    from aml_magics.notebook.names import KnownNames

__all__ = ["AmlMagics", "load", "unload"]

_MATCHER = "aml_magics.complete"
_SESSION = "_aml_magics_session"


@magics_class
class AmlMagics(Magics):
    """Settings of %aml. Set one with ``%config AmlMagics.displaylimit = 50``."""

    displaylimit = Int(25, min=0, help="Rows of a table that are shown; 0 shows all. The data is always complete.").tag(
        config=True
    )
    timezone = Unicode("UTC", help="The zone in which instants are shown: a Windows or IANA name.").tag(config=True)
    complete_names = Bool(True, help="Whether Tab offers the names that earlier answers held.").tag(config=True)

    resource_groups = List(
        Unicode(),
        help="Resource groups besides the workspace's own whose Logic Apps and data factories are listed too.",
    ).tag(config=True)

    def __init__(self, shell: InteractiveShell, **traits: Any) -> None:  # noqa: ANN401 - traitlets' own signature
        super().__init__(shell, **traits)
        self._shell = shell
        self._known: KnownNames | None = None

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def aml(self, line: str, cell: str | None = None, local_ns: Mapping[str, object] | None = None) -> object:
        """See, create, watch and stop everything that can start an Azure ML pipeline.

        %aml NOUN VERB ...        connect, status, doctor, experiment, datastore, pipeline, schedule, run,
                                  export, logic-app, data-factory, panel, serve
        %aml --help               everything on one page; also after a noun and after a verb
        x = %aml schedule list    results are values; tables are DataFrames
        """
        from aml_magics.notebook.call import run  # noqa: PLC0415 - loading the extension must import next to nothing
        from aml_magics.notebook.expand import Namespace  # noqa: PLC0415

        user = self._shell.user_ns
        try:
            result, asked = run(line, cell, Namespace(local_ns or {}, user), self._surroundings())
        except KeyboardInterrupt as interrupt:
            _show_in_one_line(interrupt)
            raise
        if asked.output is not None:
            user[asked.output] = result
        return None if asked.is_silent else result

    def _surroundings(self) -> Surroundings:
        from aml_magics.notebook.call import Surroundings  # noqa: PLC0415
        from aml_magics.session import session_of  # noqa: PLC0415

        return Surroundings(session=session_of(self._shell), settings=self, known=self.known)

    @property
    def known(self) -> KnownNames:
        """The names for completion; they last as long as the extension is loaded."""
        if self._known is None:
            from aml_magics.notebook.names import KnownNames  # noqa: PLC0415

            self._known = KnownNames()
        return self._known

    @context_matcher(identifier=_MATCHER)  # type: ignore[untyped-decorator]
    def complete(self, context: CompletionContext) -> SimpleMatcherResult:
        """Words for Tab; other matchers are silenced when there are any."""
        from aml_magics.notebook.completion import complete  # noqa: PLC0415

        return complete(context, self.known if self.complete_names else None)

    @validate("timezone")
    def _is_a_zone(self, proposal: Mapping[str, Any]) -> str:
        from aml_magics.model.errors import InvalidInput  # noqa: PLC0415
        from aml_magics.model.zones import zone  # noqa: PLC0415 - not needed by help and completion

        try:
            zone(proposal["value"])
        except InvalidInput as error:
            raise TraitError(str(error)) from error
        return str(proposal["value"])


def _show_in_one_line(interrupt: KeyboardInterrupt) -> None:
    """As our own errors: IPython lets an exception draw itself, and asks a second time when the user types %tb."""
    what = str(interrupt) or "what had been started goes on."
    once = iter([[f"KeyboardInterrupt: the command was interrupted; {what}"]])

    def draw() -> list[str]:
        return next(once, None) or "".join(traceback.format_exception(interrupt)).splitlines()

    interrupt.__dict__["_render_traceback_"] = draw


def load(shell: InteractiveShell) -> None:
    """Register the magics and the matcher on a shell, after taking away what an earlier load left."""
    _detach(shell)
    magics = AmlMagics(shell)
    shell.register_magics(magics)
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(magics.complete)


def unload(shell: InteractiveShell) -> None:
    """Take the magics, the settings and the matcher away, and close the session with everything that it runs.

    ``%reload_ext`` unloads too, but whoever types it wants the magics anew, not the running steps ended and the
    schedules silent: the session stays.
    """
    _detach(shell)
    if _is_reload():
        return
    session = getattr(shell, _SESSION, None)
    if session is not None:
        delattr(shell, _SESSION)
        session.close()


def _is_reload() -> bool:
    """Whether IPython's reload is what called: it does not say so to the extension."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        if frame.f_code.co_name == "reload_extension":
            return True
        frame = frame.f_back
    return False


def _detach(shell: InteractiveShell) -> None:
    # By name, not by class: after autoreload the class that was registered is another one than this module's.
    manager = shell.magics_manager
    for table in manager.magics.values():
        owner = getattr(table.get("aml"), "__self__", None)
        if type(owner).__name__ == AmlMagics.__name__:
            del table["aml"]
    manager.registry.pop(AmlMagics.__name__, None)
    shell.configurables[:] = [one for one in shell.configurables if type(one).__name__ != AmlMagics.__name__]
    if shell.Completer is not None:
        matchers = shell.Completer.custom_matchers
        matchers[:] = [one for one in matchers if getattr(one, "matcher_identifier", "") != _MATCHER]
