import pytest

from studies.figures import render, size_distribution, spec


def test_rows_name_process_and_count(images):
    svg = render(size_distribution(images)).decode()
    assert "normal (n = 20)" in svg
    assert "creative (n = 20)" in svg


def test_description_gives_medians(images):
    medians = images.groupby("process")["size"].median()
    description = spec(size_distribution(images))["description"]
    assert f"normal {medians['normal']:.4g}, creative {medians['creative']:.4g}" in description


def test_degenerate_frames_are_drawn(images):
    render(size_distribution(images.head(1)))
    render(size_distribution(images.assign(size=5)))


def test_malformed_frames_are_refused(images):
    with pytest.raises(ValueError, match="missing: in_subset"):
        size_distribution(images.drop(columns="in_subset"))
