"""Elementary functions that LLVM can vectorise.

numba from PyPI has no SVML, so that math.exp in a loop stays scalar. Measured per photon and view
in the E-step: 6.1 ns with math.exp, 3.1 ns with `exp_fast`.
"""

import numpy as np

from ._jit import inline

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
_SQRT_2 = 1.4142135623730951


@inline
def exp_fast(x):
    """Exponential of x <= 0, with a relative error below 4e-13.

    It is exp(-600) for all smaller x, because the products that follow must not be denormal
    numbers. The result is 2**n, written into the exponent bits, times the Taylor polynomial of
    degree 10 on [-ln(2)/2, ln(2)/2].
    """
    x = max(x, -600.0)
    n = np.int32(x * _LOG2_E - 0.5)
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * np.int64((np.int64(n) + 1023) << 52).view(np.float64)


@inline
def log_fast(x):
    """Logarithm of normal positive x, with an error below 2e-14 times max(1, |log x|).

    The mantissa m in [sqrt(1/2), sqrt(2)) is read from the bits. Its logarithm is the series of
    atanh in s = (m - 1) / (m + 1).
    """
    bits = np.float64(x).view(np.int64)
    e = (bits >> 52) - 1023
    m = np.int64((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000).view(np.float64)
    high = m > _SQRT_2
    m = 0.5 * m if high else m
    e = e + 1 if high else e
    s = (m - 1.0) / (m + 1.0)
    t = s * s
    p = 1.0 / 17.0
    p = p * t + 1.0 / 15.0
    p = p * t + 1.0 / 13.0
    p = p * t + 1.0 / 11.0
    p = p * t + 1.0 / 9.0
    p = p * t + 1.0 / 7.0
    p = p * t + 1.0 / 5.0
    p = p * t + 1.0 / 3.0
    p = p * t + 1.0
    return e * 0.6931471805599453 + 2.0 * s * p
