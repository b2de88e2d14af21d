"""Combinations of rules that leave raters out, those that leave out the same merged."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MAX_DISTINCT = 256
# With more rules than this, combinations are drawn and not gone through.
MAX_RULES = 16
# Of combinations that leave out the same raters, this many are listed.
MAX_LISTED = 16


@dataclass(frozen=True, kw_only=True)
class Specification:
    """Who is left out, and the combinations of rules that lead to it, the shortest first.

    `rules` is the plan's own combination where `is_plan`, else the shortest. `n_combinations`
    counts them all; at most `MAX_LISTED` are kept.
    """

    rules: tuple[str, ...]
    excluded: frozenset[Hashable]
    combinations: tuple[tuple[str, ...], ...]
    n_combinations: int
    is_plan: bool


@dataclass(frozen=True, kw_only=True)
class Specifications:
    """Every distinct specification, or a sample. `rules` are those that leave out somebody.

    `n` counts combinations of rules; `n_distinct` those that differ in whom they leave out, None
    where there were too many rules to go through.
    """

    rules: tuple[str, ...]
    n: int
    n_distinct: int | None
    specifications: tuple[Specification, ...]
    warnings: tuple[str, ...] = ()


def specifications(
    excluded: Mapping[str, Collection[Hashable]],
    planned: Collection[str] = (),
    *,
    raters: Collection[Hashable] | None = None,
    max_distinct: int = MAX_DISTINCT,
    seed: int = 0,
) -> Specifications:
    """Every combination of the rules, those that leave out the same raters merged.

    Parameters
    ----------
    excluded : mapping of str to collection
        The raters that each rule leaves out. Rules without any make no difference and are not
        combined.
    planned : collection of str
        The plan's own rules, all of them among `excluded`.
    raters : collection, optional
        Raters there are; others make no difference. None: all count.
    max_distinct : int
        At most this many, at least 3. Beyond, they are drawn by `seed`, and the plan, no rule and
        all rules are always there.

    Returns
    -------
    Specifications
        In the order of how many rules they need; the one without a rule first.

    Raises
    ------
    ValueError
        If a planned rule is unknown, or `max_distinct` is below 3.

    Notes
    -----
    With k rules that leave out somebody, 2**k sets are united: 65,536 for k = 16, well under a
    second. Beyond 16 rules combinations are drawn.

    Examples
    --------
    >>> found = specifications({"fast": {"a"}, "same": {"a", "b"}, "late": set()}, ["fast"])
    >>> [(each.rules, each.n_combinations, each.is_plan) for each in found.specifications]
    [((), 1, False), (('fast',), 1, True), (('same',), 2, False)]
    """
    unknown = sorted(set(planned) - set(excluded))
    if unknown:
        raise ValueError(f"planned must be among {', '.join(excluded)}; got {', '.join(unknown)}")
    if max_distinct < 3:
        raise ValueError(f"max_distinct must be at least 3; got {max_distinct}")
    present = None if raters is None else set(raters)
    marked = {
        rule: frozenset(out) if present is None else frozenset(out) & present
        for rule, out in excluded.items()
    }
    marked = {rule: out for rule, out in marked.items() if out}
    rules = tuple(marked)
    everybody = list(
        dict.fromkeys(each for out in marked.values() for each in sorted(out, key=str))
    )
    bit = {rater: 1 << place for place, rater in enumerate(everybody)}
    masks = [sum(bit[rater] for rater in marked[rule]) for rule in rules]
    plan = sum(1 << place for place, rule in enumerate(rules) if rule in set(planned))
    rng = np.random.default_rng(seed)
    listed: dict[int, list[int]] = {}
    counts: dict[int, int] = {}
    whole = len(rules) <= MAX_RULES
    for combination in _combinations(len(rules), plan, max_distinct, rng):
        out = _united(masks, combination)
        counts[out] = counts.get(out, 0) + 1
        known = listed.setdefault(out, [])
        if len(known) < MAX_LISTED:
            known.append(combination)
    planned_out = _united(masks, plan)
    kept, warnings = _kept(list(listed), planned_out, _united(masks, -1), max_distinct, rng)
    if not whole:
        warnings = (
            f"{len(rules)} rules leave somebody out: combinations were drawn, not gone through.",
        )
    return Specifications(
        rules=rules,
        n=2 ** len(rules),
        n_distinct=len(listed) if whole else None,
        specifications=tuple(
            _specification(rules, everybody, out, listed[out], counts[out], plan, planned_out)
            for out in kept
        ),
        warnings=warnings,
    )


def _combinations(
    n_rules: int, plan: int, n_wanted: int, rng: np.random.Generator
) -> Iterator[int]:
    """Combinations as bits, the shortest first: all of them, or some that always have the ends."""
    if n_rules <= MAX_RULES:
        yield from sorted(range(2**n_rules), key=lambda each: (each.bit_count(), each))
        return
    chosen = {0, plan, 2**n_rules - 1} | {1 << place for place in range(n_rules)}
    for row in rng.integers(0, 2, (4 * n_wanted, n_rules)):
        chosen.add(sum(int(each) << place for place, each in enumerate(row)))
    yield from sorted(chosen, key=lambda each: (each.bit_count(), each))


def _united(masks: Sequence[int], combination: int) -> int:
    out = 0
    for place, mask in enumerate(masks):
        if combination >> place & 1:
            out |= mask
    return out


def _kept(
    distinct: list[int], plan: int, every: int, n_most: int, rng: np.random.Generator
) -> tuple[list[int], tuple[str, ...]]:
    """`distinct`, or where they are too many a sample with the plan, none and all."""
    if len(distinct) <= n_most:
        return distinct, ()
    always = {0, plan, every}
    others = [each for each in distinct if each not in always]
    drawn = rng.choice(len(others), n_most - len(always), replace=False)
    chosen = always | {others[place] for place in drawn}
    return [each for each in distinct if each in chosen], (
        f"Of {len(distinct):,} distinct specifications {n_most} were drawn; the plan, no rule and "
        "all rules are among them.",
    )


def _specification(
    rules: tuple[str, ...],
    everybody: list[Hashable],
    out: int,
    combinations: list[int],
    n_combinations: int,
    plan: int,
    planned_out: int,
) -> Specification:
    def names(combination: int) -> tuple[str, ...]:
        return tuple(rule for place, rule in enumerate(rules) if combination >> place & 1)

    is_plan = out == planned_out
    return Specification(
        rules=names(plan if is_plan else combinations[0]),
        excluded=frozenset(rater for i, rater in enumerate(everybody) if out >> i & 1),
        combinations=tuple(map(names, combinations)),
        n_combinations=n_combinations,
        is_plan=is_plan,
    )
