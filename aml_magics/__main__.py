"""``python -m aml_magics serve``: a workspace served without a notebook, until it is interrupted.

What it prints is for the terminal of whoever started it, so the token is in it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from aml_magics.model.errors import AmlError
from aml_magics.model.secret import TOKEN_VARIABLE, Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aml_magics.embedded.serving import Served


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve, and return 0 when interrupted, 1 with one line on standard error when it cannot be done."""
    asked = _parser().parse_args(arguments)
    enough = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: enough.set())
    try:
        from aml_magics.session import serve  # noqa: PLC0415 - --help imports nothing heavy

        token = os.environ.get(TOKEN_VARIABLE)
        served = serve(
            asked.folder, host=asked.host, port=asked.port, token=Secret(token) if token else None, tls=asked.tls
        )
    except AmlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(_text(served))
    sys.stdout.flush()
    enough.wait()
    served.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m aml_magics", description=__doc__)
    serve = parser.add_subparsers(required=True, metavar="serve").add_parser(
        "serve",
        help="serve a workspace",
        description=f"Serve a workspace. {TOKEN_VARIABLE} in the environment sets the token.",
    )
    serve.add_argument("folder", nargs="?", help="the workspace's folder; default: the current one")
    serve.add_argument("--host", default="127.0.0.1", help="an address of this machine; default: %(default)s")
    serve.add_argument("--port", type=int, default=0, help="default: any that is free")
    serve.add_argument("--tls", action="store_true", help="https, with a certificate of its own")
    return parser


def _text(served: Served) -> str:
    lines = [
        f"Serving at {served.url}",
        f"token     {served.token.reveal()}",
        f"join it   {served.join} --token {{TOKEN}}",
        f"sdk v1    {served.sdk_environment or 'these four lines of Python:'}",
    ]
    if not served.ca:
        lines += [f"    {line}" for line in served.sdk_lines.splitlines()]
    if not served.is_local:
        lines.append("CAUTION: other machines can reach this address; who has the token can run commands here as you.")
    return "\n".join([*lines, "Ctrl-C stops it.", ""])


if __name__ == "__main__":
    sys.exit(main())
