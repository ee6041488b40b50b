"""See, create, watch and stop everything that can start an Azure Machine Learning pipeline, from a notebook.

In a notebook ``%load_ext aml_magics`` gives the magic ``%aml``; in a script ``aml_magics.connect()`` gives the same
workspace as a Python object. Importing this module is cheap on purpose: everything else is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from aml_magics.client.workspace import Workspace
    from aml_magics.model.errors import AmlError, Conflict, InvalidInput, NotConnected, NotFound, ServiceError
    from aml_magics.model.resources import DataPath
    from aml_magics.model.secret import Secret
    from aml_magics.model.triggers import Cron, DatastoreChange, Recurrence
    from aml_magics.session import connect, serve

__version__ = "0.1.0"

__all__ = [
    "AmlError",
    "Conflict",
    "Cron",
    "DataPath",
    "DatastoreChange",
    "InvalidInput",
    "NotConnected",
    "NotFound",
    "Recurrence",
    "Secret",
    "ServiceError",
    "Workspace",
    "__version__",
    "connect",
    "load_ipython_extension",
    "serve",
    "unload_ipython_extension",
]

_HOMES = {
    **dict.fromkeys(("connect", "serve"), "aml_magics.session"),
    "Secret": "aml_magics.model.secret",
    "Workspace": "aml_magics.client.workspace",
    "DataPath": "aml_magics.model.resources",
    **dict.fromkeys(("Recurrence", "Cron", "DatastoreChange"), "aml_magics.model.triggers"),
    **dict.fromkeys(
        ("AmlError", "Conflict", "InvalidInput", "NotConnected", "NotFound", "ServiceError"), "aml_magics.model.errors"
    ),
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the type of whatever is asked for
    if name not in _HOMES:
        message = f"module 'aml_magics' has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module  # noqa: PLC0415 - loading the extension must import next to nothing

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext aml_magics``: registers ``%aml`` and ``%%aml``; prints nothing, touches no file and no network."""
    from aml_magics.notebook import extension  # noqa: PLC0415 - not needed by scripts

    extension.load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """``%unload_ext aml_magics``: stops the background work and takes the magics away."""
    from aml_magics.notebook import extension  # noqa: PLC0415 - not needed by scripts

    extension.unload(shell)
