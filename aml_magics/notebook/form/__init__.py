"""``%aml schedule new``: a form that makes a schedule and shows the magic that would.

``fields`` says which inputs there are and what they mean together, ``cell_text`` writes the cell, ``judge`` says what
it would do: all pure. ``widgets`` shows them, and ``form`` is what a person holds. Whatever the form does, the cell
does: both are read by ``commands/schedule_request.py``.
"""
