"""How kernels are compiled: one place for the policy."""

from numba import njit, prange

# Not fastmath=True: nnan and ninf would assume NaN and infinity away.
_FLAGS = {"reassoc", "contract", "nsz", "arcp"}

kernel = njit(cache=True, error_model="numpy", fastmath=_FLAGS)
parallel_kernel = njit(cache=True, parallel=True, error_model="numpy", fastmath=_FLAGS)
inline = njit(cache=True, error_model="numpy", fastmath=_FLAGS, inline="always")

__all__ = ["inline", "kernel", "parallel_kernel", "prange"]
