"""Activations of named layers of any torch module."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from scanning._validation import whole_number


def layer_names(model: nn.Module) -> list[str]:
    """Names of the layers of `model` that can be captured, outermost first."""
    return [name for name, _ in model.named_modules() if name]


@contextmanager
def capture(
    model: nn.Module, layers: Sequence[str]
) -> Iterator[dict[str, list[NDArray[np.float32]]]]:
    """Collect what the named layers put out while the block runs.

    Parameters
    ----------
    model : torch.nn.Module
    layers : sequence of str
        Names as in :func:`layer_names`.

    Yields
    ------
    dict of str to list of ndarray of float32, (batch, J)
        One array per forward pass, each image's output flattened in C order, so that a
        convolutional map's node is channel·H·W + row·W + column. The hooks are removed at the
        end of the block, also after an error.

    Raises
    ------
    ValueError
        If a layer is unknown, or puts out something other than one tensor per image.
    """
    modules = dict(model.named_modules())
    unknown = [name for name in layers if not name or name not in modules]
    if unknown:
        raise ValueError(
            f"layers must be among {', '.join(layer_names(model))}; got {', '.join(unknown)!r}"
        )
    collected: dict[str, list[NDArray[np.float32]]] = {name: [] for name in layers}

    def hook_for(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if not isinstance(output, torch.Tensor) or output.ndim == 0:
                raise ValueError(f"layer {name} must put out one tensor of images")
            flat = output.detach().reshape(len(output), -1)
            collected[name].append(flat.to("cpu", torch.float32).numpy().copy())

        return hook

    handles = [modules[name].register_forward_hook(hook_for(name)) for name in collected]
    try:
        yield collected
    finally:
        for handle in handles:
            handle.remove()


def layer_activations(
    model: nn.Module,
    inputs: torch.Tensor | NDArray[Any],
    layers: Sequence[str],
    *,
    forward: Callable[[torch.Tensor], Any] | None = None,
    batch_size: int = 256,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, NDArray[np.float32]]:
    """Activations of named layers for each of n inputs.

    Parameters
    ----------
    model : torch.nn.Module
        Run in evaluation mode and without gradients; its mode is restored afterwards.
    inputs : tensor or ndarray, (n, ...)
        Fed to the model in batches, on the device of its parameters.
    layers : sequence of str
        Names as in :func:`layer_names`.
    forward : callable, optional
        What to run on a batch instead of `model` itself, such as ``model.decode``.
    batch_size : int
    progress : callable, optional
        Called with (inputs done, n, message).

    Returns
    -------
    dict of str to ndarray of float32, (n, J)

    Raises
    ------
    ValueError
        If a layer is unknown, did not run, or did not put out one row per input (as a layer
        that runs twice), there are no inputs, or `batch_size` is not a whole number >= 1.

    Notes
    -----
    Holds n·J single-precision numbers per layer, and one batch.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> layer_activations(model, np.zeros((5, 2), np.float32), ["1"])["1"].shape
    (5, 3)
    """
    tensor = torch.as_tensor(inputs)
    if tensor.ndim == 0 or len(tensor) == 0:
        raise ValueError(f"inputs must hold at least one image; got shape {tuple(tensor.shape)}")
    batch_size = whole_number(batch_size, "batch_size", minimum=1)
    parameter = next(model.parameters(), None)
    run = model if forward is None else forward
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), capture(model, layers) as collected:
            for start in range(0, len(tensor), batch_size):
                batch = tensor[start : start + batch_size]
                run(batch if parameter is None else batch.to(parameter.device))
                if progress is not None:
                    done = min(start + batch_size, len(tensor))
                    progress(done, len(tensor), "capturing activations")
    finally:
        model.train(was_training)
    silent = [name for name, batches in collected.items() if not batches]
    if silent:
        raise ValueError(f"layers must run during the forward pass; {', '.join(silent)} did not")
    found = {name: np.concatenate(batches) for name, batches in collected.items()}
    for name, values in found.items():
        if len(values) != len(tensor):  # as a layer that runs twice in one pass
            raise ValueError(
                f"layers must put out one row per input; {name} gave {len(values)} rows "
                f"for {len(tensor)}"
            )
    return found
