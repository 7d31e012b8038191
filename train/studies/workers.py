"""Work shared out to this machine's cores, or to a Ray cluster."""

from __future__ import annotations

import contextlib
import logging
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import joblib

from edge.errors import MissingPackageError, TrainingError

_Result = TypeVar("_Result")

#: A cluster that has not taken a connection after so many seconds does not answer.
_ANSWER_WITHIN_S = 5.0


@contextmanager
def workers(jobs: int, ray_address: str | None) -> Iterator[joblib.Parallel]:
    """Yield what runs delayed calls, and gives their results as they come.

    Args:
        jobs: processes on this machine; not heeded with Ray, which has as many as cores.
        ray_address: of a Ray cluster, as HOST:PORT, ray://HOST:PORT or auto; None for none.

    Yields:
        To be called with delayed calls.

    Raises:
        MissingPackageError: Ray is not installed.
        TrainingError: the cluster does not answer.
    """
    with ExitStack() as stack:
        if ray_address is None:
            yield joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")
            return
        stack.enter_context(_ray(ray_address))
        yield joblib.Parallel(return_as="generator_unordered")


def run_all(
    parallel: joblib.Parallel, call: Callable[..., _Result], arguments: Sequence[tuple[Any, ...]]
) -> Iterator[_Result]:
    """Yield the results of calls in the order in which they come.

    Where the caller stops early, or Ctrl-C comes, calls that have not begun never do.

    Args:
        parallel: as `workers` yields it.
        call: what is called; it must be importable in another process.
        arguments: of each call.
    """
    results = parallel(joblib.delayed(call)(*one) for one in arguments)
    try:
        yield from results
    finally:
        with contextlib.suppress(RuntimeError, ValueError):
            results.close()


@contextmanager
def _ray(address: str) -> Iterator[None]:
    """Make a Ray cluster joblib's backend."""
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
        with joblib.parallel_config(backend="ray", n_jobs=-1):
            yield
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
