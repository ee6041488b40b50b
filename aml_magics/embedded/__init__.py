"""The workspace inside the kernel: the v1 protocol over one SQLite file, and the runner of pipeline steps."""
