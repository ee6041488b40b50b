"""Panels: what a workspace holds and does, as live tables. Nothing here is imported before a panel is asked for.

``seen`` asks the workspace, as little as possible, ``frames`` makes a DataFrame of the answers, ``columns`` says how
it looks, ``details`` what an opened row says and ``open_row`` for how long, ``actions`` what its buttons do, ``kinds``
puts these together for each panel. ``live`` decides when to look again, ``trouble`` says what fails meanwhile,
``panel`` is the object that people hold, ``opening`` finds or makes it.
"""
