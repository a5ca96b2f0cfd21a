"""Symmetric matrices as their lower triangles, row by row, as the kernels of samples read them."""

import numpy as np


def packed(matrices):
    """Lower triangles (K, d (d + 1) / 2) of matrices (K, d, d), row by row."""
    rows, columns = np.tril_indices(matrices.shape[-1])
    return np.ascontiguousarray(matrices[:, rows, columns])


def square(triangles, d):
    """Symmetric matrices (K, d, d) of lower triangles."""
    rows, columns = np.tril_indices(d)
    matrices = np.zeros((len(triangles), d, d))
    matrices[:, rows, columns] = triangles
    matrices[:, columns, rows] = triangles
    return matrices
