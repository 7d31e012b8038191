"""Work shared out to this machine's cores, or to a Ray cluster."""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import joblib

from edge.errors import MissingPackageError, TrainingError

_Result = TypeVar("_Result")

#: A cluster that has not taken a connection after so many seconds does not answer.
_ANSWER_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Workers:
    """What runs calls side by side.

    Attributes:
        parallel: joblib's way to them.
        batch: calls that are handed over at once; None where results come one by one.
    """

    parallel: joblib.Parallel
    batch: int | None = None

    def run(
        self, call: Callable[..., _Result], arguments: Sequence[tuple[Any, ...]]
    ) -> Iterator[_Result]:
        """Yield the results of calls as they come, in any order.

        Where the caller stops early, or Ctrl-C comes, calls that have not begun never do.

        Args:
            call: what is called; it must be importable in another process.
            arguments: of each call.
        """
        size = self.batch or len(arguments)
        for start in range(0, len(arguments), max(size, 1)):
            batch = arguments[start : start + size]
            for result, error in self.parallel(
                joblib.delayed(_caught)(call, *one) for one in batch
            ):
                if error is not None:
                    raise error
                yield result


def _caught(call: Callable[..., Any], *arguments: Any) -> tuple[Any, Exception | None]:
    """Call, and return an error instead of raising it: with Ray's backend joblib waits for ever."""
    try:
        return call(*arguments), None
    except Exception as error:
        return None, error


@contextmanager
def workers(jobs: int, ray_address: str | None) -> Iterator[Workers]:
    """Yield this machine's processes, or a Ray cluster.

    Args:
        jobs: processes on this machine; not heeded with Ray, which has one for each of its cores.
        ray_address: of a Ray cluster, as HOST:PORT, ray://HOST:PORT or auto; None for none.

    Raises:
        MissingPackageError: Ray is not installed.
        TrainingError: the cluster does not answer.
    """
    if ray_address is None:
        yield Workers(joblib.Parallel(n_jobs=jobs, return_as="generator_unordered"))
        return
    # Ray's backend gives all results of a call at once: a batch is what a stop can cost.
    with _ray(ray_address) as cores, joblib.Parallel() as parallel:
        yield Workers(parallel, batch=2 * cores)


@contextmanager
def _ray(address: str) -> Iterator[int]:
    """Make a Ray cluster joblib's backend, and yield how many cores it has."""
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise MissingPackageError(
            "--ray takes the package Ray",
            got=f"{error}",
            next_step="Install it with `pip install '.[cluster]'` in blastscope's source folder",
        ) from error
    _require_answer(address)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
            register_ray()
    except Exception as error:
        raise _no_answer(address, f"{type(error).__name__}: {error}") from error
    try:
        cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
        with joblib.parallel_config(backend="ray", n_jobs=cores):
            yield cores
    finally:
        ray.shutdown()


def _require_answer(address: str) -> None:
    """Refuse an address where nobody listens, for which Ray itself would wait for minutes."""
    if address == "auto":
        return
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise TrainingError(
            "--ray is HOST:PORT, ray://HOST:PORT or auto",
            got=address,
            next_step="Give the address that `ray start --head` printed",
        )
    try:
        socket.create_connection((host, int(port)), timeout=_ANSWER_WITHIN_S).close()
    except OSError as error:
        raise _no_answer(address, error.strerror or str(error)) from error


def _no_answer(address: str, reason: str) -> TrainingError:
    return TrainingError(
        "The Ray cluster must answer",
        got=f"{address}: {' '.join(reason.split())[:200]}",
        next_step="Start it with `ray start --head`, or leave --ray out to use this machine; "
        "what was computed is kept",
    )
