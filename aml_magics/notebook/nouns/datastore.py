"""``%aml datastore``."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.options import DRY_RUN, named

FOLDER = Positional(name="PATH", help="a folder on the datastore; its root when left out", required=False)
ON_DATASTORE = Option(
    name="datastore",
    value="NAME",
    read=values.reference,
    completes="datastore",
    help="default: the workspace's default datastore",
)
REGISTER = Verb(
    name="register",
    help="give a folder or a blob container a name in the workspace",
    handler="datastore_registration:register",
    positionals=(Positional(name="NAME", help="letters, digits, _ and -"),),
    options=(
        Option(name="folder", value="PATH", read=values.anything, completes="file", help="a folder, as a datastore"),
        Option(name="account", value="NAME", aliases=("--account-name",), help="the storage account"),
        Option(name="container", value="NAME", aliases=("--container-name",), help="its blob container"),
        Option(name="account-key", value="{KEY}|env:VARIABLE", is_secret=True, help="get in with a key of the account"),
        Option(name="sas-token", value="{SAS}|env:VARIABLE", is_secret=True, help="get in with a SAS"),
        Option(
            name="connection-string",
            value="{TEXT}|env:VARIABLE",
            is_secret=True,
            help="account and key in one, as the portal gives them",
        ),
        Option(name="identity", help="get in as whoever is signed in where the workspace runs (azure-identity)"),
        Option(name="endpoint", value="URL", help="of an account that is not where Azure's are"),
        Option(name="azurite", help="the storage emulator on this machine, its account, key and usual port"),
        Option(name="overwrite", help="replace the datastore of that name"),
        Option(name="default", help="make it the workspace's default datastore"),
        Option(name="create-if-not-exists", aliases=("--create",), help="make the container when it is not there"),
        Option(name="skip-validation", help="do not look whether the container can be listed"),
        DRY_RUN,
    ),
    body="yaml",
    details=(
        "The options may also stand in the cell's body, as `key: value` lines. A container is listed before it is "
        "registered: a wrong key or name is refused at once. Without a key, a SAS or --identity it is a public one. "
        "Keys are kept in .aml/credentials.json, which only you can read, and are never shown."
    ),
    examples=(
        "%aml datastore register archive --account mine --container archive --account-key {KEY}",
        "%aml datastore register landing --container landing --connection-string env:AZURE_STORAGE_CONNECTION_STRING",
        "%aml datastore register emulated --azurite --container data --create",
        "%%aml datastore register results\nfolder: results\ndefault: true",
    ),
)
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
                FOLDER,
            ),
            options=(Option(name="recursive", help="sub-folders too"),),
            details="Without a name it is the default datastore.",
            examples=("%aml datastore ls workspaceblobstore incoming", "objects = %aml datastore ls --recursive"),
        ),
        REGISTER,
        Verb(
            name="unregister",
            help="forget a datastore and its key; what lies in it stays",
            handler="datastore_registration:unregister",
            positionals=(named("datastore"),),
            options=(DRY_RUN,),
            examples=("%aml datastore unregister archive",),
        ),
        Verb(
            name="set-default",
            help="make a datastore the workspace's default",
            handler="datastore_registration:set_default",
            positionals=(named("datastore"),),
            options=(DRY_RUN,),
            examples=("%aml datastore set-default archive",),
        ),
        Verb(
            name="download",
            help="copy an object, or all objects of a folder, to this machine",
            handler="datastore:download",
            positionals=(
                Positional(name="PATH", help="an object, or a folder, on the datastore"),
                Positional(
                    name="TO",
                    help="the file or folder to make; default: the object's name, in the current folder",
                    required=False,
                    read=values.anything,
                    completes="file",
                ),
            ),
            options=(
                ON_DATASTORE,
                Option(name="overwrite", help="replace files that are there"),
                DRY_RUN,
            ),
            examples=(
                "%aml datastore download incoming/day1.csv",
                "%aml datastore download incoming data/ --datastore archive",
            ),
        ),
        Verb(
            name="watch",
            help="what would fire now at a place, and what would not, with the reason",
            handler="datastore_watch:watch",
            positionals=(
                named("datastore"),
                FOLDER,
            ),
            options=(
                Option(name="pattern", value="PATTERN", help="for a schedule that is not there yet: names like *.csv"),
                Option(name="min-size", value="SIZE", read=values.scalar, help="... of at least so many bytes"),
                Option(name="recursive", help="... in sub-folders too"),
                Option(
                    name="since",
                    value="TIME|SPAN",
                    read=values.anything,
                    help="... modified after 2026-12-01T06:30, or within the last 2 hours",
                ),
                DRY_RUN,
            ),
            details=(
                "It changes nothing. Without options it tells what the active schedules at the place have not fired "
                "for yet; with options, which objects a schedule like that would fire for if they were new."
            ),
            examples=(
                "%aml datastore watch workspaceblobstore incoming --dry-run",
                "%aml datastore watch workspaceblobstore incoming --dry-run --pattern *.csv --since '2 hours'",
            ),
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
                ON_DATASTORE,
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
