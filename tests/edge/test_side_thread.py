"""A thread beside the caller's: what it does, what it raises, and that it ends."""

from __future__ import annotations

import gc
import os
import threading
import weakref

import numpy as np
import pytest

from edge import Classifier
from edge.side_thread import SideThread


def side_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "blastscope-side"]


def test_jobs_run_one_after_the_other_beside_the_caller() -> None:
    side = SideThread()
    seen: list[tuple[int, int]] = []
    for number in range(100):
        side.start(lambda number=number: seen.append((number, threading.get_ident())))
        side.wait()
    assert [number for number, _ in seen] == list(range(100))
    assert {thread for _, thread in seen} != {threading.get_ident()}
    assert len({thread for _, thread in seen}) == 1
    side.close()


def test_what_a_job_raises_is_raised_where_it_is_waited_for() -> None:
    side = SideThread()
    side.start(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        side.wait()
    done: list[int] = []
    side.start(lambda: done.append(1))
    side.wait()
    assert done == [1]
    side.close()


def test_job_that_nobody_waited_for_is_done_before_the_next() -> None:
    side = SideThread()
    gate = threading.Event()
    done: list[int] = []
    side.start(lambda: (gate.wait(), done.append(1)))
    threading.Timer(0.05, gate.set).start()
    side.start(lambda: done.append(2))
    side.wait()
    assert done == [1, 2]
    side.close()


def test_nothing_of_a_job_is_kept() -> None:
    side = SideThread()
    kept = np.zeros(3)
    gone = weakref.ref(kept)
    side.start(kept.sum)
    side.wait()
    del kept
    assert gone() is None
    side.close()


def test_thread_ends_when_it_is_closed_and_begins_again() -> None:
    # Those of other tests may take a moment to end.
    others = side_threads()
    side = SideThread()
    side.start(lambda: None)
    side.wait()
    (thread,) = set(side_threads()) - set(others)
    side.close()
    side.close()
    thread.join(10)
    assert not thread.is_alive()
    side.start(lambda: None)
    side.wait()
    side.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_thread_begins_anew_in_a_forked_process() -> None:
    side = SideThread()
    side.start(lambda: None)
    side.wait()
    child = os.fork()
    if child == 0:
        seen: list[int] = []
        side.start(lambda: seen.append(1))
        side.wait()
        os._exit(0 if seen == [1] else 1)
    assert os.waitpid(child, 0)[1] == 0
    side.close()


def test_forgotten_classifier_leaves_no_thread() -> None:
    others = side_threads()
    classifier = Classifier.load("fast", threads=1)
    classifier.classify(np.full((300, 300, 3), 200, np.uint8))
    (thread,) = set(side_threads()) - set(others)
    del classifier
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()
