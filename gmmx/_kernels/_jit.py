"""How kernels are compiled: one place for the policy."""

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


__all__ = ["inline", "kernel", "parallel_kernel", "prange", "threads_at_most"]
