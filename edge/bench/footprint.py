"""Memory and start-up time of a model in a fresh process that loads the runtime alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from edge.bench.sessions import ModelSource, read_sources


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process takes that starts, loads one model and classifies one frame.

    Attributes:
        import_ms: milliseconds from the start of Python until the libraries are imported.
        load_ms: milliseconds until the model is loaded; its file was read shortly before.
        first_ms: milliseconds that the first classification takes.
        peak_mb: most memory that was resident, in millions of bytes.
    """

    import_ms: float
    load_ms: float
    first_ms: float
    peak_mb: float


def measure_footprint(source: ModelSource, peer: str | None, threads: int) -> Footprint | None:
    """Load a model in a process of its own and classify one frame there.

    Args:
        source: the model.
        peer: one of `edge.bench.peers.PEERS`; None for blastscope's own runtime.
        threads: cores to use.

    Returns:
        The figures; None where the process came to an end without them.
    """
    house = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (house, known)))}
    words = [str(source.path.absolute()), str(threads), peer or "", str(time.monotonic())]
    done = subprocess.run(
        [sys.executable, "-m", "edge.bench.footprint", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    try:
        return Footprint(**json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, ValueError, TypeError):
        return None


def peak_resident_bytes() -> int:
    """Return the most memory that was resident in this process.

    Linux tells it for the program that runs now ("VmHWM", proc(5)). getrusage's maximum would not
    do: it outlives exec, and so starts with what the parent held (getrusage(2), "ru_maxrss").
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        (line,) = [one for one in status.splitlines() if one.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _measure(path: Path, threads: int, peer: str, started: float) -> Footprint:
    """Do in this process what `measure_footprint` tells of."""
    if peer:
        from edge.bench.peers import load_peer

        import_module(peer)
    imported = time.monotonic()
    (source,) = read_sources([path])
    session = load_peer(peer, source, threads) if peer else source.load(threads)
    loaded = time.monotonic()
    session.classify(np.zeros((224, 224, 3), np.uint8))
    classified = time.monotonic()
    return Footprint(
        import_ms=(imported - started) * 1000,
        load_ms=(loaded - imported) * 1000,
        first_ms=(classified - loaded) * 1000,
        peak_mb=peak_resident_bytes() / 1e6,
    )


if __name__ == "__main__":
    _path, _threads, _peer, _started = sys.argv[1:]
    _found = _measure(Path(_path), int(_threads), _peer, float(_started))
    sys.stdout.write(json.dumps(asdict(_found)) + "\n")
