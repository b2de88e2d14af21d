"""Values that hypothesis draws for questions."""

from hypothesis import strategies as st

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
# What JSON can hold, and the numbers that only Python's reader lets through.
JSON_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
# Latent values as raters have them, and some that are out of all measure.
APPEAL = st.floats(-40, 40)
