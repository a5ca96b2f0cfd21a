"""How kernels are compiled: one place for the policy."""

import time
from contextlib import contextmanager

from numba import config as numba_config
from numba import get_num_threads, njit, prange, set_num_threads
from threadpoolctl import threadpool_limits

# Not fastmath=True: nnan and ninf would assume NaN and infinity away.
_FLAGS = {"reassoc", "contract", "nsz", "arcp"}

kernel = njit(cache=True, error_model="numpy", fastmath=_FLAGS)
parallel_kernel = njit(cache=True, parallel=True, error_model="numpy", fastmath=_FLAGS)
inline = njit(cache=True, error_model="numpy", fastmath=_FLAGS, inline="always")


@contextmanager
def threads_at_most(count):
    """Run kernels on at most `count` threads, 0 for as many as there are, and linear algebra on one: its sums depend on the number of threads."""
    before = get_num_threads()
    if count > 0:
        set_num_threads(min(count, numba_config.NUMBA_NUM_THREADS))
    try:
        with threadpool_limits(1, user_api="blas"):
            yield
    finally:
        set_num_threads(before)


class Pace:
    """Runs a function on all threads or on one, whichever is faster at the moment.

    Where other programs use the cores too (a shell loop with ``xargs -P``), threads wait for each other's turn and many can be slower than one by a factor of
    ten. Kernels give the same bits on any number of threads, so the clock may choose.
    """

    _EPOCH, _SAMPLES = 64, 2

    def __init__(self):
        self._most = get_num_threads()
        self._calls, self._spent = 0, {}

    def __call__(self, function, *arguments):
        """The function's value; its time is what the next calls are scheduled by."""
        if self._most == 1:
            return function(*arguments)
        turn = self._calls % self._EPOCH
        self._calls += 1
        if turn == 0:
            self._spent = {self._most: [], 1: []}
        if turn < 2 * self._SAMPLES:
            threads = self._most if turn < self._SAMPLES else 1
        else:
            # Means, not minima: a crowded machine lets a call through quickly now and then.
            threads = min(self._spent, key=lambda n: sum(self._spent[n]) / len(self._spent[n]))
        set_num_threads(threads)
        began = time.perf_counter()
        value = function(*arguments)
        self._spent[threads].append(time.perf_counter() - began)
        return value


__all__ = ["Pace", "inline", "kernel", "parallel_kernel", "prange", "threads_at_most"]
