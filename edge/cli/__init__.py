"""The `blastscope` command: a thin room over functions that a notebook can call as well."""
