"""``%aml serve``."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Option, Verb

SERVE = Verb(
    name="serve",
    help="serve the open workspace to other notebooks, and to Microsoft's SDK v1 as if it were Azure",
    handler="serve:serve",
    options=(
        Option(name="port", value="N", read=values.whole_number, help="default: any that is free"),
        Option(name="host", value="ADDRESS", help="an address of this machine; default 127.0.0.1: nobody from outside"),
        Option(
            name="token",
            value="{TOKEN}",
            is_secret=True,
            help="who has it gets in; default: a random one, the same from one time to the next",
        ),
        Option(name="tls", help="https, with a certificate of its own"),
        Option(name="show-token", help="show the token here; it is then saved with the notebook"),
        Option(name="stop", help="serve nothing any more; the workspace stays open"),
    ),
    details=(
        "Without the token a caller gets a 401. It is in a file that only you can read, .aml/served/token. With --tls "
        "the SDK can be pointed here by its environment alone. Whoever has the token can run commands on this machine: "
        "a step is a process of yours. Serving ends with the kernel; python -m aml_magics serve needs none."
    ),
    examples=("%aml serve --port 8765", "served = %aml serve --tls", "%aml serve --stop"),
)
