"""What every program that drives a served workspace with Microsoft's SDK v1 watches and says.

Imported before the SDK, so that what the SDK does while it is imported is watched too. ``outside`` has whatever was
looked up beyond this machine; it was refused.
"""

from __future__ import annotations

import sys

assert "azureml.core" not in sys.modules, "import audit before the SDK"

outside = []


def stay_here(event: str, arguments: tuple) -> None:
    """Note whatever looks beyond this machine. (What is raised here, the SDK may swallow.)"""
    if event == "socket.getaddrinfo" and arguments[0] not in ("127.0.0.1", "localhost", None):
        outside.append(arguments[0])
        raise OSError("this test stays on this machine")


sys.addaudithook(stay_here)


def check(promise: str, kept: object) -> None:
    """One line for each promise; the first that is broken ends the program."""
    if not kept:
        raise SystemExit(f"BROKEN {promise}")
    print(f"ok {promise}", flush=True)
