"""Frozen values and rules with no I/O: triggers that answer "when next?", the resources of a workspace, and the errors.

Everything else imports this room; it imports nothing of ours.
"""
