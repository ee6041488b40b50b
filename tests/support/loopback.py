"""A server that is asked to be on every address of this machine, and in truth is on loopback alone."""

from __future__ import annotations

import socket

from aml_magics.embedded.server import LOOPBACK, Server

_listener = Server._listener


def listen_on_loopback(server: Server) -> socket.socket:
    """In the place of ``Server._listener``: tests let nobody else in, whatever they ask for."""
    asked, server._host = server._host, LOOPBACK
    try:
        return _listener(server)
    finally:
        server._host = asked
