"""The same trigger elsewhere: a schedule as a Logic App or as a Data Factory pipeline, in ARM templates.

Pure: ``logic_app`` and ``data_factory`` turn a ``Source`` into an ``Export``, ``definitions`` reads one back, ``check``
says what Azure would refuse.
"""
