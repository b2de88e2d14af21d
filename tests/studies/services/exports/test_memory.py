"""Exports are no larger in memory than they must be."""

import gc
import tracemalloc

import pyarrow as pa

from studies.models import Response
from studies.services.exports import parquet, stream_zip
from tests.studies.exported import many_answers


def peak_bytes(study):
    """The most that a download holds at a time: of Python's memory, and of Arrow's."""
    peak_of_arrow = 0
    gc.collect()  # what earlier work left is not this download's
    tracemalloc.start()
    try:
        for _ in stream_zip(study=study):
            peak_of_arrow = max(peak_of_arrow, pa.total_allocated_bytes())
        return tracemalloc.get_traced_memory()[1], peak_of_arrow
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_answers(db, monkeypatch):
    # So that both studies fill several row groups.
    monkeypatch.setattr(parquet, "GROUP_ROWS", 1_000)
    small, large = many_answers(50), many_answers(200)
    peak_bytes(small)  # whatever is loaded only once
    of_small, of_large = peak_bytes(small), peak_bytes(large)
    assert Response.objects.filter(trial__participant__study=large).count() == 20_000
    assert of_large[0] < 1.25 * of_small[0]
    assert of_large[1] < 1.25 * of_small[1]
    assert of_large[0] < 4_000_000


def test_a_download_begins_before_all_is_read(db):
    blocks = stream_zip(study=many_answers(40))
    assert sum(1 for _ in blocks) > 3
