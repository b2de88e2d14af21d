import numpy as np
import pytest
from scipy import sparse

from studies.stats import _blocks
from studies.stats._blocks import Crossing, cholesky, inverse, quadratic, squared, times_blocks


def crossing(seed, filled, repeats=False):
    """Who met whom, ragged, and designs of two columns and one or two."""
    rng = np.random.default_rng(seed)
    met = rng.random((15, 9)) < np.linspace(0, 2 * filled, 15)[:, None]
    rows, cols = np.nonzero(met)
    if repeats:
        rows, cols = np.repeat(rows, 2), np.repeat(cols, 2)
    order = rng.permutation(rows.size)
    return Crossing(rows[order], cols[order], 15, 9), rows[order], cols[order], rng


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("widths", [(1, 1), (2, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize(
    "thresholds", [{}, {"DENSE_ABOVE": 0}, {"DENSE_ABOVE": 1, "WHOLE_ABOVE": 1}, {"WHOLE_ABOVE": 0}]
)
@pytest.mark.parametrize("chunk", [1, 10**6])
def test_tables_and_products_equal_dense_ones(monkeypatch, widths, thresholds, repeats, chunk):
    if thresholds == {"WHOLE_ABOVE": 0}:
        thresholds = {"DENSE_ABOVE": 0, "WHOLE_ABOVE": 0}
    for name, value in thresholds.items():
        monkeypatch.setattr(_blocks, name, value)
    monkeypatch.setattr(_blocks, "CHUNK_ELEMENTS", chunk)
    cross, rows, cols, rng = crossing(3, 0.3, repeats)
    left, right = (rng.normal(size=(rows.size, width)) for width in widths)
    dense = np.zeros((15, widths[0], 9, widths[1]))
    for row, col, a, b in zip(rows, cols, left, right, strict=True):
        dense[row, :, col] += np.outer(a, b)
    matrix = dense.reshape(15 * widths[0], 9 * widths[1])
    values = cross.values(left, right)
    table = cross.table(values)
    assert np.allclose(table.toarray() if sparse.issparse(table) else table, matrix)
    assert np.allclose(squared(table), matrix.T @ matrix)

    middle = rng.normal(size=(matrix.shape[1],) * 2)
    middle = middle @ middle.T
    own, met = cross.spread(values, middle)
    product = (matrix @ middle).reshape(dense.shape)
    whole = (matrix @ middle @ matrix.T).reshape(15, widths[0], 15, widths[0])
    levels = np.arange(15)
    assert np.allclose(own, whole[levels, :, levels])
    assert np.allclose(met, product[cross.rows, :, cross.cols])


@pytest.mark.parametrize("width", [1, 2])
def test_quadratic_blocks_equal_dense_ones(monkeypatch, width):
    rng = np.random.default_rng(4)
    table, lower = rng.normal(size=(10, 6)), np.tril(rng.normal(size=(width, width)))
    matrix = rng.normal(size=(6, 6))
    matrix = matrix @ matrix.T + np.eye(6)
    root = cholesky(matrix.copy())
    assert np.allclose(root @ root.T, matrix)
    assert np.allclose(inverse(root), np.linalg.inv(matrix))
    scaled = times_blocks(table, lower)
    assert np.allclose(scaled, table @ np.kron(np.eye(6 // width), lower))
    whole = scaled @ np.linalg.inv(matrix) @ scaled.T
    for chunk in (1, 10**6):
        monkeypatch.setattr(_blocks, "CHUNK_ELEMENTS", chunk)
        for each in (table, sparse.csr_array(table)):
            blocks = quadratic(each, lower, root, 2)
            for level, block in enumerate(blocks):
                place = slice(2 * level, 2 * level + 2)
                assert np.allclose(block, whole[place, place])
