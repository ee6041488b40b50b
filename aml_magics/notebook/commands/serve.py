"""``%aml serve``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aml_magics.model.errors import InvalidInput
from aml_magics.model.secret import MASK
from aml_magics.notebook.commands.elsewhere import secret_of
from aml_magics.notebook.present import path_from_here
from aml_magics.notebook.views import View

if TYPE_CHECKING:
    from aml_magics.embedded.serving import Served
    from aml_magics.notebook.call import Call

__all__ = ["serve"]

_OTHERS = "CAUTION: other machines can reach this address, and whoever has the token can run commands here as you."
_IN_CLEAR = "Without --tls the token goes over the network in the clear."


def serve(call: Call) -> View:
    """Serve the open workspace; the value is where."""
    if call.get("stop"):
        return _stop(call)
    workspace = call.workspace
    options = {name: call.get(name) for name in ("host", "port", "tls") if name in call.arguments}
    if "token" in call.arguments:
        options["token"] = secret_of(call, "token")
    served = call.around.session.serve(**options)
    token_file = path_from_here(served.token_file)
    fields = [
        (
            "token",
            served.token.reveal() if call.get("show_token") else f"{MASK} (in {token_file}, which only you can read)",
        ),
        ("join it", f"{served.join} --token {{TOKEN}}"),
        ("sdk v1", served.sdk_environment or "these four lines of Python:"),
    ]
    notes = [] if served.is_local else [_OTHERS, *([] if served.ca else [_IN_CLEAR])]
    if call.get("show_token"):
        notes.append("The token stands in this notebook now: clear this output before you share it.")
    title = f"Serving the workspace {workspace.name!r} at {served.url}"
    return View(title, value=served, fields=fields, notes=notes, code="" if served.ca else served.sdk_lines)


def _stop(call: Call) -> View:
    given = sorted(set(call.arguments) - {"stop"})
    if given:
        message = f"%aml serve --stop takes nothing else, and got {given[0]}"
        raise InvalidInput(message, hint="Stop first, then serve again.")
    served: Served | None = call.around.session.served
    call.around.session.stop_serving()
    if served is None:
        return View("No workspace is served from this kernel.")
    return View(f"Stopped serving at {served.url}", notes=["The workspace stays open here."])
