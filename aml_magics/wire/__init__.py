"""JSON and YAML text to and from the model: the v1 dialect of Azure ML's REST protocol.

No I/O; client and embedded share it.
"""
