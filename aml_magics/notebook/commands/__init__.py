"""What the verbs do: one module a noun, one function a verb, each from a ``Call`` to something worth looking at."""
