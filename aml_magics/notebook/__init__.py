"""Magics, tables and everything else that a notebook shows. Thin: parse, call the workspace, return something worth
looking at.
"""
