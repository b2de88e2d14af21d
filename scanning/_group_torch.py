"""Steps of the group scan on a torch device, as those of `_group_compiled`.

Counts are integers and so the same as the compiled ones; scores are computed in double
precision, and those within rounding of the best are scored again by the compiled statistic,
so that both engines choose alike.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from scanning import _group_numba as kernels
from scanning._group_compiled import Found
from scanning._group_ranks import GroupRanks
from scanning._statistics_numba import BERK_JONES, HIGHER_CRITICISM, phi

MAX_ENTRIES = 1 << 24  # of one block of p-values or of counts, to bound memory
NEARLY = 1e-9  # scores that are relatively so near to the best are compared again


def has_device() -> bool:
    """Whether there is a CUDA device."""
    return torch.cuda.is_available()


class TorchEngine:
    """Steps over one matrix, whose ranks stay on the device."""

    is_threaded = False

    def __init__(self, ranks: GroupRanks, statistic: int, caps: tuple[int, int]) -> None:
        self.device = torch.device("cuda" if has_device() else "cpu")
        self._alphas, self._edges = ranks.alphas, ranks.edges
        self._statistic, self._caps = statistic, caps
        self._coarse = torch.tensor(ranks.coarse[:, : ranks.shape[1]], device=self.device)
        # Torch computes little in unsigned types.
        self._fine = torch.tensor(ranks.fine.astype(np.int32), device=self.device)

    def at_edges(self, by_rows: bool, held: NDArray[np.int64], edges: NDArray[np.int64]) -> Found:
        """As `CompiledEngine.at_edges`."""
        ranks = self._held(self._coarse, by_rows, held)
        counts = torch.stack([(ranks <= int(edge)).sum(1, dtype=torch.int32) for edge in edges])
        score, position, members = kernels.best_level(
            counts.cpu().numpy(),
            len(held),
            self._alphas[self._edges[edges]],
            self._statistic,
            0.0,
            self._caps[0 if by_rows else 1],
        )
        return score, int(edges[position]) if position >= 0 else -1, members

    def at_all(self, by_rows: bool, held: NDArray[np.int64], floor: float) -> Found:
        """As `CompiledEngine.at_all`."""
        ranks = self._held(self._fine, by_rows, held)
        cap = self._caps[0 if by_rows else 1]
        best: Found = (floor, -1, np.empty(0, np.int64))
        length = max(1, min(MAX_ENTRIES // len(ranks), len(self._alphas)))
        for first in range(0, len(self._alphas), length):
            alphas = self._alphas[first : first + length]
            counts = _counts(ranks, first, first + len(alphas))
            found = _best_prefix(counts, len(held), alphas, self._statistic, best[0], cap)
            if found[1] >= 0:
                best = (found[0], first + found[1], found[2])
        return best

    def _held(self, ranks: torch.Tensor, by_rows: bool, held: NDArray[np.int64]) -> torch.Tensor:
        """Ranks (elements, held) among the elements that are held."""
        chosen = torch.from_numpy(held).to(self.device)
        return ranks.index_select(1, chosen) if by_rows else ranks.index_select(0, chosen).T


def _counts(ranks: torch.Tensor, first: int, stop: int) -> torch.Tensor:
    """(thresholds, elements): p-values of each element at or below thresholds first:stop."""
    n_held = ranks.shape[1]
    width = stop - first + 2  # a bin for all below, and one for all above
    parts = []
    for part in ranks.split(max(1, MAX_ENTRIES // max(n_held, width))):
        bins = (part.long() - (first - 1)).clamp_(0, width - 1)
        bins += torch.arange(len(part), device=ranks.device)[:, None] * width
        counted = torch.bincount(bins.flatten(), minlength=len(part) * width)
        parts.append(counted.view(len(part), width).cumsum(1)[:, 1:-1].T)
    return torch.cat(parts, 1)


def _best_prefix(
    counts: torch.Tensor,
    n_held: int,
    levels: NDArray[np.float64],
    statistic: int,
    floor: float,
    cap: int,
) -> Found:
    """Best elements at the best of the levels, if they score more than `floor`.

    counts (levels, elements). Returns the score, the position among the levels and the sorted
    elements, or `floor`, -1 and none.
    """
    n_elements = counts.shape[1]
    alpha = torch.tensor(levels, device=counts.device)[:, None]
    ordered = counts.sort(1, descending=True).values
    last_of_ties = torch.ones_like(ordered, dtype=torch.bool)
    last_of_ties[:, :-1] = ordered[:, :-1] != ordered[:, 1:]
    if cap < n_elements:
        last_of_ties[:, cap - 1] = True
        last_of_ties[:, cap:] = False
    n_alpha = ordered.cumsum(1)
    n = torch.arange(1, n_elements + 1, device=counts.device) * n_held
    scores = _scores(statistic, alpha, n_alpha.double(), n.double())
    scores[~last_of_ties] = 0.0
    limit = max(floor, float(scores.max()) * (1.0 - NEARLY))
    best, best_at, best_length = floor, -1, 0
    for at, length in torch.nonzero(scores >= limit * (1.0 - NEARLY)).tolist():
        n_chosen = (length + 1) * n_held
        score = phi(statistic, levels[at], float(n_alpha[at, length]), float(n_chosen))
        if score > best:
            best, best_at, best_length = score, at, length + 1
    if best_at < 0:
        return floor, -1, np.empty(0, np.int64)
    # A stable order takes the first of those that tie for the last place.
    order = counts[best_at].sort(descending=True, stable=True).indices[:best_length]
    return best, best_at, order.sort().values.cpu().numpy()


def _scores(
    statistic: int, alpha: torch.Tensor, n_alpha: torch.Tensor, n: torch.Tensor
) -> torch.Tensor:
    """The statistic for each level and prefix; 0 without excess or at level 1."""
    excess = n_alpha - n * alpha
    if statistic == BERK_JONES:
        rest = n - n_alpha
        # No ratio to alpha, which may be beyond what a number can hold.
        log_ratio = torch.log(n_alpha / n) - torch.log(alpha)
        scores = n_alpha * log_ratio + torch.xlogy(rest, rest / (n * (1.0 - alpha)))
    elif statistic == HIGHER_CRITICISM:
        scores = excess / torch.sqrt(n * alpha * (1.0 - alpha))
    else:
        scores = excess / torch.sqrt(n)
    return torch.where((excess > 0.0) & (alpha < 1.0), scores, 0.0)
