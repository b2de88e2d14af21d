"""Results as JSON knows them."""

import json
import math
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from scanning._plain import plain


@dataclass(frozen=True)
class Held:
    array: np.ndarray
    inside: tuple
    _private: int = 3


ARRAYS = npst.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.bool_]),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)


@given(array=ARRAYS, number=st.floats())
def test_everything_is_json_and_finite_numbers_stay(array, number):
    found = plain(Held(array, ({"a": np.float32(1.5)}, number, np.int64(7), None, "x")))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found) == ["array", "inside"]
    assert found["inside"] == [{"a": 1.5}, number if math.isfinite(number) else None, 7, None, "x"]
    flat = np.array(found["array"], object).ravel()
    for got, was in zip(flat, array.ravel().tolist(), strict=True):
        assert got == (was if math.isfinite(was) else None)
