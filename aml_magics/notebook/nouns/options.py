"""Options and positionals that several verbs share. Their names are the SDK's argument names."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Option, Positional

__all__ = [
    "ALL",
    "CONTINUE",
    "DRY_RUN",
    "EXPERIMENT",
    "FREQUENCIES",
    "LIMIT",
    "PIPELINE",
    "named",
    "parameters",
]

FREQUENCIES = ("Minute", "Hour", "Day", "Week", "Month", "Second")

DRY_RUN = Option(name="dry-run", help="show what would happen and change nothing")
ALL = Option(name="all", help="disabled ones too")
LIMIT = Option(name="limit", value="N", read=values.whole_number, help="at most this many, the newest first")
EXPERIMENT = Option(
    name="experiment-name",
    value="NAME",
    read=values.reference,
    aliases=("--experiment",),
    completes="experiment",
    help="the experiment that the runs belong to; default: called like the pipeline",
)
PIPELINE = Option(
    name="pipeline",
    value="NAME|ID",
    read=values.reference,
    aliases=("--pipeline-id",),
    completes="pipeline",
    help="the published pipeline",
)
CONTINUE = Option(
    name="continue-on-step-failure",
    help="go on with the steps that do not need a failed one (=false: stop at the first)",
)


def parameters(help_text: str) -> tuple[Option, Option]:
    """``--parameter`` and ``--data-path`` of a verb; ``help_text`` says what they are there."""
    return (
        Option(
            name="parameter",
            value="NAME=VALUE",
            pairs=True,
            help=f"a pipeline parameter {help_text}; may be repeated",
        ),
        Option(
            name="data-path",
            value="NAME=DATASTORE/PATH",
            pairs=True,
            help=f"a data path parameter {help_text}; may be repeated",
        ),
    )


def named(noun: str, *, many: bool = False, required: bool = True) -> Positional:
    """``NAME|ID`` of one or of many things of a noun."""
    read = values.references if many else values.reference
    plural = "names or ids" if many else "the name or the id"
    return Positional(
        name="NAME|ID",
        help=f"{plural} of the {noun}{'s' if many else ''}",
        read=read,
        many=many,
        required=required,
        completes=noun,
    )
