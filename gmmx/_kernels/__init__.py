"""All numba functions: arrays and records of arrays in, new arrays out.

`_jit` holds how they are compiled and `_math` the functions that they are compiled with. Each has
a slow twin in NumPy in tests/reference.py. Sums over photons are taken in fixed blocks, in order,
so that the number of threads does not change a bit of the answer.
"""
