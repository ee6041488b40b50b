"""Logic Apps, run here: the workflow of an export, or one that was copied out of the portal's code view.

``definition`` reads it, ``checks`` refuses what does not run here before anything does, ``running`` runs the actions of
one run, ``triggers`` lets the triggers fire for some time, ``records`` is what is left to look at.
"""
