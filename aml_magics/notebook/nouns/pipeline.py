"""``%aml pipeline``."""

from __future__ import annotations

from aml_magics.notebook import values
from aml_magics.notebook.grammar import Noun, Option, Positional, Verb
from aml_magics.notebook.nouns.options import ALL, CONTINUE, DRY_RUN, EXPERIMENT, named, parameters

PIPELINES = Noun(
    name="pipeline",
    help="published pipelines",
    verbs=(
        Verb(
            name="list",
            help="published pipelines",
            handler="pipeline:list_all",
            options=(ALL,),
            examples=("%aml pipeline list", "df = %aml pipeline list --all"),
        ),
        Verb(
            name="show",
            help="one pipeline: its steps, parameters, schedules and last runs",
            handler="pipeline:show",
            positionals=(named("pipeline"),),
            examples=("%aml pipeline show train",),
        ),
        Verb(
            name="publish",
            help="publish the cell (Python: one step; YAML with jobs: a pipeline) or a YAML file",
            handler="publish:publish",
            positionals=(Positional(name="NAME", help="the pipeline's name", required=False),),
            options=(
                *parameters("with its default (a data path needs none)"),
                Option(name="description", value="TEXT", help="what it does"),
                Option(name="version", value="TEXT", help="its version"),
                CONTINUE,
                Option(
                    name="file",
                    value="FILE.yml",
                    completes="file",
                    read=values.anything,
                    help="pipeline YAML, or a Python file (.py), instead of the cell",
                ),
                DRY_RUN,
            ),
            body="code",
            details=(
                "A Python cell is published as it stands: braces in it are code and are not expanded. Its parameters "
                "arrive on the command line (--learning_rate 0.1) and in the environment "
                "(AML_PARAMETER_learning_rate); a data path arrives as a local path, in "
                "AZUREML_DATAREFERENCE_input_data too. A cell with a line `jobs:` is pipeline YAML. The type of a "
                "default is the type of the parameter: 3, 0.1, true; anything else, and anything in quotes, is text. "
                "After a failed step, pipeline YAML goes on with the steps that do not need it, a Python cell stops."
            ),
            examples=(
                '%%aml pipeline publish train --parameter learning_rate=0.1 --data-path input_data\nprint("training")',
                "%aml pipeline publish --file pipeline.yml",
            ),
        ),
        Verb(
            name="submit",
            help="start a run of a pipeline now",
            handler="pipeline:submit",
            positionals=(named("pipeline"),),
            options=(EXPERIMENT, *parameters("of this run"), CONTINUE, DRY_RUN),
            examples=("run = %aml pipeline submit train --experiment MyExperiment --parameter learning_rate=0.01",),
        ),
        Verb(
            name="disable",
            help="take pipelines out of use; refused while an active schedule uses one",
            handler="pipeline:disable",
            positionals=(named("pipeline", many=True, required=False),),
            options=(DRY_RUN,),
            body="names",
            examples=("%aml pipeline disable train", "%%aml pipeline disable\ntrain\n# score"),
        ),
        Verb(
            name="enable",
            help="put pipelines back into use",
            handler="pipeline:enable",
            positionals=(named("pipeline", many=True, required=False),),
            options=(DRY_RUN,),
            body="names",
            examples=("%aml pipeline enable train",),
        ),
        Verb(
            name="endpoint",
            help="the REST address that starts a run of a pipeline",
            handler="pipeline:endpoint",
            positionals=(named("pipeline"),),
            examples=("url = %aml pipeline endpoint train",),
        ),
    ),
)
