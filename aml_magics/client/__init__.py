"""The one client: Azure ML's REST protocol over httpx, and the synchronous ``Workspace`` that people call."""
