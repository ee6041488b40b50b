"""``%aml datastore``."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.options import DRY_RUN, named

DATASTORES = Noun(
    name="datastore",
    help="where data lives",
    verbs=(
        Verb(name="list", help="all datastores", handler="datastore:list_all", examples=("%aml datastore list",)),
        Verb(
            name="show",
            help="one datastore",
            handler="datastore:show",
            positionals=(named("datastore"),),
            examples=("%aml datastore show workspaceblobstore",),
        ),
        Verb(
            name="ls",
            help="the objects in a folder of a datastore",
            handler="datastore:ls",
            positionals=(
                named("datastore", required=False),
                Positional(name="PATH", help="a folder on the datastore; its root when left out", required=False),
            ),
            options=(Option(name="recursive", help="sub-folders too"),),
            details="Without a name it is the default datastore.",
            examples=("%aml datastore ls workspaceblobstore incoming", "objects = %aml datastore ls --recursive"),
        ),
        Verb(
            name="upload",
            help="put a file, a folder or the cell's text on a datastore",
            handler="datastore:upload",
            positionals=(
                Positional(
                    name="FILE",
                    help="a file or folder of this machine",
                    required=False,
                    read=values.anything,
                    completes="file",
                ),
            ),
            options=(
                Option(
                    name="path-on-datastore",
                    value="PATH",
                    aliases=("--path",),
                    help="where to put it; a path that ends in / is a folder; default: the file's own name",
                ),
                Option(
                    name="datastore",
                    value="NAME",
                    read=values.reference,
                    completes="datastore",
                    help="default: the workspace's default datastore",
                ),
                DRY_RUN,
            ),
            body="text",
            details="The text of a cell is uploaded as it stands (UTF-8); braces in it are text.",
            examples=(
                "%aml datastore upload day1.csv --path incoming/",
                "%%aml datastore upload --path incoming/day2.csv\nid,value\n1,0.5",
            ),
        ),
    ),
)
