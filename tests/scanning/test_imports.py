"""What importing the library loads."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import scanning", ("django", "torch", "PIL", "studies")),
        ("import scanning.generative", ("django", "torch", "studies")),
        ("from scanning.generative.datasets import read_image", ("django", "torch", "studies")),
        ("from scanning.generative import train_vae", ("django", "studies")),
    ],
)
def test_import_stays_light(statement, absent):
    code = f"{statement}\nimport sys\nprint([m for m in {absent!r} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert result.stdout.strip() == "[]"


def test_generative_names_resolve():
    import scanning.generative as generative

    for name in generative.__all__:
        assert getattr(generative, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = generative.nothing
