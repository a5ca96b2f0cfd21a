"""How kernels are compiled: the policy of all of them, in one place."""

from numba import njit, prange

# nnan and ninf of fastmath=True are left out: they would assume that NaN and infinity never occur.
_FLAGS = {"reassoc", "contract", "nsz", "arcp"}

kernel = njit(cache=True, error_model="numpy", fastmath=_FLAGS)
parallel_kernel = njit(cache=True, parallel=True, error_model="numpy", fastmath=_FLAGS)
inline = njit(cache=True, error_model="numpy", fastmath=_FLAGS, inline="always")

__all__ = ["inline", "kernel", "parallel_kernel", "prange"]
