"""Logic Apps, run in the kernel.

::

    definition    the workflow as values: Workflow, Trigger, Action             checks: what cannot run here, by name
    blobs         the blob trigger: what it watches, and a blob's properties    conditions: of If, Until and triggers
    triggers      checking triggers, with a history; what fires starts runs    recurrences: their times
    running       actions as tasks: runAfter, the four results, the record
    simple        what single actions do                                        nested: those with others inside
    sending       the HTTP action: sign-in, retries, the answer
    scope         what expressions see                                          records: what is left to look at
"""
