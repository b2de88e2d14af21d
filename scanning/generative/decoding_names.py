"""Names of the processes of creative decoding, and the strength that they share."""

from typing import Any

PROCESSES = ("low_active", "correlated", "random", "switch_off", "noise")
CONTROLS = frozenset({"noise"})


def decoding_parameters(
    process: str, layer: str, n_nodes: int, share: float, scale: float
) -> dict[str, Any]:
    """Arguments of :class:`CreativeDecoding` for a process at a strength.

    Parameters
    ----------
    process : str
        One of `PROCESSES`.
    layer : str
    n_nodes : int
        Nodes of the layer.
    share : float
        Share of the layer's nodes that each image has set. The pool of `low_active` and
        `correlated` is half the layer, or `share` of it where that is more.
    scale : float
        See :class:`scanning.experiments.settings.Decoding`.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If there is no such process.

    Examples
    --------
    >>> decoding_parameters("low_active", "decoder.dense1", 256, 0.25, 1.0)["n_on"]
    64
    """
    if process == "switch_off":
        return {"layer": layer, "switch_off_active": True, "active_fraction": share}
    if process == "noise":
        return {"layer": layer, "selection": "noise", "noise_sd": scale}
    if process not in PROCESSES:
        raise ValueError(f"process must be one of {', '.join(PROCESSES)}; got {process!r}")
    return {
        "layer": layer,
        "selection": process,
        "pool_fraction": max(0.5, share),
        "n_on": max(1, round(share * n_nodes)),
        "scale": scale,
    }
