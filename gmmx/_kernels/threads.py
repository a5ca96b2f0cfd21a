"""The number of threads that kernels run on."""

import time
from contextlib import contextmanager

from numba import config as numba_config
from numba import get_num_threads, set_num_threads
from threadpoolctl import threadpool_limits


@contextmanager
def threads_at_most(count):
    """Run kernels on at most `count` threads, or on all of them if it is 0.

    Linear algebra runs on one thread, because its sums depend on the number of threads.

    Examples
    --------
    >>> from numba import get_num_threads
    >>> with threads_at_most(1):
    ...     get_num_threads()
    1
    """
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

    Where other programs use the cores too (a shell loop with ``xargs -P``), threads wait for each
    other, and several can be slower than one by a factor of ten. Kernels give the same bits on any
    number of threads, so that the clock may choose: of every 64 calls the first two run on all
    threads and the next two on one, and the faster of both serves the other 60.
    """

    _EPOCH, _SAMPLES = 64, 2

    def __init__(self):
        self._most = get_num_threads()
        self._calls, self._spent = 0, {}

    def __call__(self, function, *arguments):
        """Call the function and return its value."""
        if self._most == 1:
            return function(*arguments)
        turn = self._calls % self._EPOCH
        self._calls += 1
        if turn == 0:
            self._spent = {self._most: [], 1: []}
        if turn < 2 * self._SAMPLES:
            threads = self._most if turn < self._SAMPLES else 1
        else:
            # Means, not minima, because a crowded machine lets single calls through quickly.
            threads = min(self._spent, key=lambda n: sum(self._spent[n]) / len(self._spent[n]))
        set_num_threads(threads)
        began = time.perf_counter()
        value = function(*arguments)
        self._spent[threads].append(time.perf_counter() - began)
        return value
