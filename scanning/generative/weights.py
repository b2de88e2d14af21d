"""Weights of models in files, with the shape that they are for."""

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from scanning.generative.gan import ConvGenerator, ConvGeneratorConfig
from scanning.generative.models import ConvVAE, ConvVAEConfig

FORMATS = {ConvVAE: "scanning.ConvVAE/1", ConvGenerator: "scanning.ConvGenerator/1"}
_CONFIGS: dict[type, Any] = {ConvVAE: ConvVAEConfig, ConvGenerator: ConvGeneratorConfig}


def save_model(model: ConvVAE | ConvGenerator, path: str | Path) -> str:
    """Write weights and configuration as safetensors; return the file's SHA-256."""
    path = Path(path)
    weights = {name: tensor.contiguous().cpu() for name, tensor in model.state_dict().items()}
    # One entry only: safetensors writes several in no fixed order, which would change the hash.
    data = save(weights, {FORMATS[type(model)]: json.dumps(model.config.to_dict())})
    # Nobody ever reads half a file under the final name.
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(data)
    unfinished.replace(path)
    return hashlib.sha256(data).hexdigest()


def load_model(path: str | Path) -> ConvVAE | ConvGenerator:
    """Read a model that :func:`save_model` wrote, ready for evaluation.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is something else, or damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            kinds = [kind for kind, name in FORMATS.items() if name in metadata]
            if not kinds:
                raise ValueError(f"{path.name} does not hold a model of this kind")
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        values = json.loads(metadata[FORMATS[kinds[0]]])
        model = _CONFIGS[kinds[0]].from_dict(values).build()
        model.load_state_dict(weights)
    except SafetensorError as error:
        raise ValueError(f"{path.name} is not a safetensors file: {error}") from error
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path.name} holds a damaged model: {error}") from error
    return model.eval()
