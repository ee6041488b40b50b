"""Widgets: what a panel is made of. Nothing here is imported before a panel is asked for.

``cells`` says what a column is and how a value looks, ``rows`` filters and sorts a DataFrame and cuts out what is in
sight, ``table`` is the object that panels hold, ``live`` and ``fallback`` are its two faces in a browser, ``static`` is
what remains of it in a saved notebook. ``table.js`` and its neighbours are sent to the browser as they are.
"""
