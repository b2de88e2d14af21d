"""The peer: the Adversarial Robustness Toolbox's subset scanner, from the package index.

It is installed without dependencies into a folder of its own, because its requirements pin older
versions of what the product uses, and imported from there *after* everything else on the path:
numpy, scipy and whatever else both need are the product's, which is left as it is.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

REQUIREMENTS = Path(__file__).parent.parent / "requirements.txt"


class PeerUnavailable(Exception):  # noqa: N818 - a state of the machine, not a fault
    """The peer cannot be installed or imported here; the message says why."""


class PeerFailed(Exception):  # noqa: N818 - the peer's error, not ours
    """The peer ended in an error on valid p-values."""


class Peer:
    """The peer's two scans and its p-values, called as its own detector calls them."""

    def __init__(self) -> None:
        try:
            from art.defences.detector.evasion.subsetscanning.detector import (
                SubsetScanningDetector,
            )
            from art.defences.detector.evasion.subsetscanning.scanner import Scanner
        except ImportError as error:
            raise PeerUnavailable(f"it is installed but cannot be imported: {error}") from error
        self._scanner, self._detector = Scanner, SubsetScanningDetector

    @staticmethod
    def ranges(pvalues: NDArray[np.float64]) -> NDArray[np.float64]:
        """p-values as the peer holds them: lower and upper ends, (M, J, 2)."""
        return np.stack([pvalues, pvalues], axis=2)

    def group_score(self, ranges: NDArray[np.float64], n_restarts: int) -> float:
        """Score of its group scan, with random starts from the global state."""
        try:
            return float(self._scanner.fgss_for_nets(ranges, restarts=n_restarts)[0])
        except (ValueError, IndexError) as error:  # such as "argmax of an empty sequence"
            raise PeerFailed(f"the peer fails: {error}") from error

    def image_scores(self, ranges: NDArray[np.float64]) -> list[float]:
        return [float(self._scanner.fgss_individ_for_nets(image)[0]) for image in ranges]

    def pvalues(self, background: NDArray[Any], test: NDArray[Any]) -> NDArray[np.float64]:
        """Fitting and upper-tail p-values, without the network that its detector begins with."""
        detector = object.__new__(self._detector)
        detector._layer_name = "layer"
        detector._get_activations = lambda activations, *_: activations
        detector.sorted_bgd_activations = np.sort(background, axis=0)
        return detector._calculate_pvalue_ranges(test)[:, :, 1]


def load_peer(cache: Path) -> Peer:
    """The peer, installed under `cache` where it is not yet.

    Raises PeerUnavailable where there is neither an installed copy nor a package index.
    """
    folder = cache / f"scanner-peer-python{sys.version_info.major}.{sys.version_info.minor}"
    wanted = REQUIREMENTS.read_text()
    done = folder / "installed"
    if not done.exists() or done.read_text() != wanted:
        _install(folder, wanted)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return Peer()


def _install(folder: Path, wanted: str) -> None:
    print(f"Installing the peer under {folder}", file=sys.stderr)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Made aside and moved, so that what is interrupted is not taken for complete.
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="installing-") as work:
            made = Path(work) / "peer"
            command = [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
                *("--disable-pip-version-check", "--target", str(made), "-r", str(REQUIREMENTS)),
            ]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode:
                lines = done.stderr.strip().splitlines() or ["pip gave no reason"]
                raise PeerUnavailable(f"it could not be installed: {lines[-1]}")
            (made / "installed").write_text(wanted)
            if folder.exists():
                folder.rename(Path(work) / "outdated")
            made.rename(folder)
    except OSError as error:
        raise PeerUnavailable(f"{folder} cannot be written: {error}") from error
