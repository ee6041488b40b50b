"""Data Factory pipelines, run in the kernel.

::

    definition    the JSON as values: Factory, Pipeline, Activity, Trigger          reading: from text
    checks        everything that is wrong with it, or cannot run here              references: its expressions
    dependencies  dependsOn and a pipeline's result, pure
    running       activities as tasks: waiting, skipping, retries, limits, records
    leaves        what single activities do                                         control: those with others inside
    triggers      when pipelines start by themselves                                trigger_types: what triggers say
    scope         what expressions see                                              values, records: in and out
"""
