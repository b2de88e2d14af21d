"""Every pair of images, in an endless order in which images and sides stay balanced."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .williams import zigzag


@dataclass(frozen=True)
class PairSchedule:
    """Pairs of images by slot: (left, right) for any slot from 0, without a table of pairs.

    A cycle is `n_pairs` slots and holds every unordered pair once. Cycles 2c and 2c + 1 have the
    same pairs in the same order, with sides exchanged; each such two cycles number the images
    afresh, by a permutation drawn from `seed` and c.

    Parameters
    ----------
    n_images : int
        At least 2. Images are numbered from 0.
    seed : int
        Not negative.

    Raises
    ------
    ValueError
        If `n_images` is less than 2 or `seed` negative.

    Notes
    -----
    What holds of the first t slots, for every t:

    - Appearances of any two images differ by at most 1.
    - An image's appearances at the left and at the right differ by at most 1 if `n_images` is
      odd, by at most 2 if it is even (by at most 1 while a cycle 2c runs). For an even
      number above 2 no choice of sides keeps to 1 if the second cycle has the first one's rounds
      in the same order: all images would change sides in every round, so that two that start at
      the same side would never meet.

    What holds of consecutive slots:

    - Any `n_pairs` of them within cycles 2c and 2c + 1 hold every pair once, wherever they
      start. Where the numbering changes, after cycle 2c + 1, a pair can come again at any
      distance; `without_repeats` passes over it.
    - Any (n_images - 1) // 2 of them within one cycle show no image twice.

    Even numbers use the circle method of round-robin tournaments (Kirkman 1847) with the
    alternating sides of de Werra (1981), Scheduling in sports, Annals of Discrete Mathematics
    11: 381-395. Odd numbers use Walecki's Hamiltonian cycles (Lucas 1892; Alspach 2008, The
    wonderful Walecki construction, Bulletin of the ICA 52: 7-20), each gone through along its
    own direction, every second edge first: the circle method lets an image sit out each round,
    and appearances then differ by 2.

    A slot costs O(1), once its two cycles' permutation is drawn and kept, O(n_images).

    Examples
    --------
    >>> schedule = PairSchedule(n_images=4, seed=1)
    >>> schedule.n_pairs
    6
    >>> len({frozenset(schedule.pair(slot)) for slot in range(3, 9)})
    6
    """

    n_images: int
    seed: int

    def __post_init__(self) -> None:
        if self.n_images < 2:
            raise ValueError(f"n_images must be at least 2; got {self.n_images}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0; got {self.seed}")

    @property
    def n_pairs(self) -> int:
        """Slots in a cycle: the number of unordered pairs."""
        return self.n_images * (self.n_images - 1) // 2

    def pair(self, slot: int) -> tuple[int, int]:
        """The images at the left and at the right in `slot`; ValueError if it is negative."""
        if slot < 0:
            raise ValueError(f"slot must be at least 0; got {slot}")
        cycle, place = divmod(slot, self.n_pairs)
        template = _of_even if self.n_images % 2 == 0 else _of_odd
        first, second = template(self.n_images, place)
        numbering = _numbering(self.n_images, self.seed, cycle // 2)
        left, right = int(numbering[first]), int(numbering[second])
        return (right, left) if cycle % 2 else (left, right)

    def without_repeats(
        self,
        candidates: Iterable[int],
        n_trials: int,
        seen: Iterable[tuple[int, int]] = (),
    ) -> list[int]:
        """The first slots among `candidates` that show one participant no pair twice.

        Slots that are passed over stay for others. Sides do not matter: (a, b) and (b, a) are
        one pair. Who has seen all `n_pairs` pairs starts afresh, so that even then no pair comes
        a third time before all have come twice.

        Parameters
        ----------
        candidates : iterable of int
            Slots in the order of preference, for instance given-back ones and then
            `itertools.count(next_slot)`; endless is allowed, as from any slot on every pair
            comes within two cycles.
        n_trials : int
            Number of slots to take.
        seen : iterable of (int, int)
            Pairs that the participant has had.

        Returns
        -------
        list of int
            `n_trials` slots in the order of `candidates`.

        Raises
        ------
        ValueError
            If `candidates` ends too early.
        """
        known: set[frozenset[int]] = set()
        for pair in seen:
            known.add(frozenset(pair))
            self._forget_if_complete(known)
        slots = iter(candidates)
        taken: list[int] = []
        while len(taken) < n_trials:
            slot = next(slots, None)
            if slot is None:
                raise ValueError(
                    f"candidates must hold {n_trials} slots without a repeated pair; "
                    f"got {len(taken)}"
                )
            shown = frozenset(self.pair(slot))
            if shown not in known:
                taken.append(slot)
                known.add(shown)
                self._forget_if_complete(known)
        return taken

    def _forget_if_complete(self, known: set[frozenset[int]]) -> None:
        if len(known) == self.n_pairs:
            known.clear()


@lru_cache(maxsize=16)
def _numbering(n_images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Which image each label stands for in cycles 2 * epoch and 2 * epoch + 1: (n_images,)."""
    source = np.random.SeedSequence(seed, spawn_key=(epoch,))
    numbering = np.random.default_rng(source).permutation(np.arange(n_images, dtype=np.int64))
    numbering.setflags(write=False)
    return numbering


def _of_even(n: int, place: int) -> tuple[int, int]:
    """The pair at `place` of the circle method: one label is fixed, the others turn past it.

    Going through the rounds, each label changes sides every time but (at most) once.
    """
    turning = n - 1
    round_, i = divmod(place, n // 2)
    if i == 0:
        return (turning, round_) if round_ % 2 == 0 else (round_, turning)
    ahead, behind = (round_ + i) % turning, (round_ - i) % turning
    return (ahead, behind) if i % 2 == 0 else (behind, ahead)


def _of_odd(n: int, place: int) -> tuple[int, int]:
    """The pair at `place` of Walecki's cycles: edges 0, 2, ..., n - 1, then 1, 3, ..., n - 2."""
    cycle, k = divmod(place, n)
    edge = 2 * k % n
    return _on_cycle(n, cycle, edge), _on_cycle(n, cycle, (edge + 1) % n)


def _on_cycle(n: int, cycle: int, place: int) -> int:
    """The label at `place` of a cycle: the fixed label, then a zigzag through all others."""
    return n - 1 if place == 0 else (cycle + zigzag(place - 1)) % (n - 1)
