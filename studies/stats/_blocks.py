"""Block matrices of two crossed factors: tables of who met whom, and their dense complements."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from .checks import FloatArray

# Above this share of filled cells a dense table multiplies faster than a sparse one, and above
# that one a whole product costs less than the wanted entries one by one.
DENSE_ABOVE = 0.05
WHOLE_ABOVE = 0.15
# Of a dense chunk of the table: 64 MB.
CHUNK_ELEMENTS = 8_000_000


class Crossing:
    """Which levels of two factors met, and where each rating falls among the cells that are filled.

    Tables of weighted crossproducts are made anew at every step of a search, on the same cells.
    `rows` and `cols` (cells,) are levels, sorted by row; `of_rating` (ratings,) is a cell.
    """

    def __init__(
        self, rows: NDArray[np.int64], cols: NDArray[np.int64], n_rows: int, n_cols: int
    ) -> None:
        cells, self.of_rating = np.unique(rows * n_cols + cols, return_inverse=True)
        self.rows, self.cols = np.divmod(cells, n_cols)
        self.n_rows, self.n_cols = n_rows, n_cols
        self.starts = np.searchsorted(self.rows, np.arange(n_rows + 1))
        self.filled = cells.size / (n_rows * n_cols)

    def values(self, row_design: FloatArray, col_design: FloatArray) -> FloatArray:
        """Crossproducts by cell, (cells, row columns, col columns)."""
        result = np.empty((self.rows.size, row_design.shape[1], col_design.shape[1]))
        for a in range(row_design.shape[1]):
            for b in range(col_design.shape[1]):
                product = row_design[:, a] * col_design[:, b]
                result[:, a, b] = np.bincount(self.of_rating, product, self.rows.size)
        return result

    def table(self, values: FloatArray) -> FloatArray | sparse.csr_array:
        """Values by cell as a matrix (levels * columns of each), dense where well filled."""
        _, row_width, col_width = values.shape
        shape = (self.n_rows * row_width, self.n_cols * col_width)
        if self.filled > DENSE_ABOVE:
            dense = np.zeros((self.n_rows, row_width, self.n_cols, col_width))
            dense[self.rows, :, self.cols, :] = values
            return dense.reshape(shape)
        return sparse.bsr_array((values, self.cols, self.starts), shape=shape).tocsr()

    def spread(self, values: FloatArray, middle: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of T M T' the blocks on the diagonal, and of T M those of filled cells.

        `values` are T's by cell, `middle` is the symmetric M: (row levels, row columns, row
        columns) and (cells, row columns, col columns). Rows are taken in chunks of bounded size.
        """
        _, row_width, col_width = values.shape
        own = np.zeros((self.n_rows, row_width, row_width))
        met = np.empty_like(values)
        if self.filled > WHOLE_ABOVE:
            matrix = self.table(values)
            step = max(1, CHUNK_ELEMENTS // (matrix.shape[1] * row_width))
            for start in range(0, self.n_rows, step):
                stop = min(start + step, self.n_rows)
                part = matrix[start * row_width : stop * row_width]
                product = (part @ middle).reshape(-1, row_width, matrix.shape[1])
                own[start:stop] = product @ part.reshape(product.shape).transpose(0, 2, 1)
                filled = slice(self.starts[start], self.starts[stop])
                by_cell = product.reshape(stop - start, row_width, self.n_cols, col_width)
                met[filled] = by_cell[self.rows[filled] - start, :, self.cols[filled]]
            return own, met
        for levels, cells, present in self.chunks(col_width):
            cols = self.cols[cells][:, :, None] * col_width + np.arange(col_width)
            cols = cols.reshape(len(levels), -1)
            part = np.where(present[:, :, None, None], values[cells], 0.0)
            part = part.transpose(0, 2, 1, 3).reshape(len(levels), row_width, -1)
            product = part @ middle[cols[:, :, None], cols[:, None, :]]
            own[levels] = product @ part.transpose(0, 2, 1)
            by_cell = product.reshape(len(levels), row_width, -1, col_width).transpose(0, 2, 1, 3)
            met[cells[present]] = by_cell[present]
        return own, met

    def chunks(
        self, col_width: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]]:
        """Rows with about as many cells: levels, their cells (levels, most), and which exist."""
        counts = np.diff(self.starts)
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] > 0]
        done = 0
        while done < order.size:
            most = counts[order[done]]
            # Those with less than three quarters of the most wait for a chunk of their own.
            alike = np.searchsorted(-counts[order], -0.75 * most, side="right")
            step = max(1, CHUNK_ELEMENTS // (2 * int(most * col_width) ** 2))
            levels = order[done : min(done + step, alike)]
            present = np.arange(most) < counts[levels, None]
            yield levels, np.where(present, self.starts[levels, None] + np.arange(most), 0), present
            done += levels.size


def quadratic(
    table: FloatArray | sparse.csr_array, lower: FloatArray, root: FloatArray, width: int
) -> FloatArray:
    """Blocks of T M T' by level of the rows of T, (levels, width, width).

    M = (I kron lower) (root root')^-1 (I kron lower)'. Rows are taken in chunks, so that memory
    is bounded whatever the number of levels.
    """
    rows, size = table.shape
    result = np.empty((rows // width, width, width))
    step = max(1, CHUNK_ELEMENTS // (size * width))
    for start in range(0, len(result), step):
        part = table[start * width : (start + step) * width]
        part = sparse.csr_array(part).toarray() if sparse.issparse(part) else part
        # root^-1 (T Lambda)': the transpose is in Fortran's order already.
        halved = linalg.blas.dtrsm(1.0, root, times_blocks(part, lower).T, lower=1).T
        halved = halved.reshape(-1, width, size)
        result[start : start + step] = halved @ halved.transpose(0, 2, 1)
    return result


def squared(matrix: FloatArray | sparse.csr_array) -> FloatArray:
    """matrix' matrix, dense."""
    product = matrix.T @ matrix
    return sparse.csr_array(product).toarray() if sparse.issparse(product) else product


def cholesky(matrix: FloatArray) -> FloatArray:
    """The lower root of a symmetric matrix, whose memory it takes, in Fortran's order.

    Raises
    ------
    LinAlgError
        If the matrix is not positive definite.
    """
    # A symmetric matrix is its own transpose: no copy into the other order.
    root, failed = linalg.lapack.dpotrf(matrix.T, lower=1, overwrite_a=1)
    if failed:
        raise linalg.LinAlgError("the matrix is not positive definite")
    return root


def inverse(root: FloatArray) -> FloatArray:
    """The inverse of root root', at a third of the cost of solving for the unit matrix."""
    # The root has zeros above its diagonal, and they stay there.
    lower = linalg.lapack.dpotri(root, lower=True)[0]
    full = lower + lower.T
    full[np.diag_indices_from(full)] /= 2
    return full


def block_diagonal(blocks: FloatArray) -> FloatArray:
    """The dense matrix with (levels, width, width) blocks on its diagonal."""
    n_levels, width = blocks.shape[:2]
    matrix = np.zeros((n_levels, width, n_levels, width))
    levels = np.arange(n_levels)
    matrix[levels, :, levels, :] = blocks
    return matrix.reshape(n_levels * width, n_levels * width)


def block_times(blocks: FloatArray, matrix: FloatArray) -> FloatArray:
    """A block-diagonal matrix, given as (levels, width, width), times a dense or sparse one."""
    n_levels, width = blocks.shape[:2]
    if width == 1:
        scale = blocks[:, 0, 0]
        if sparse.issparse(matrix):
            return sparse.diags_array(scale) @ matrix
        return scale[:, None] * matrix
    if sparse.issparse(matrix):
        levels = np.arange(n_levels + 1)
        return sparse.bsr_array((blocks, levels[:-1], levels)).tocsr() @ matrix
    return (blocks @ matrix.reshape(n_levels, width, -1)).reshape(matrix.shape)


def times_blocks(matrix: FloatArray, lower: FloatArray) -> FloatArray:
    """matrix (I kron lower)."""
    width = lower.shape[0]
    if width == 1:
        return lower[0, 0] * matrix
    return (matrix.reshape(-1, width) @ lower).reshape(matrix.shape)
