"""`python -m edge.cli` is `blastscope`."""

from __future__ import annotations

from edge.cli.main import main

main()
