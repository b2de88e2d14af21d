"""The state of an unfinished training in a file, so that it can go on where it stopped."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

_ENTRY = "scanning.checkpoint/1"


class Checkpoint:
    """What a training needs to go on exactly as if it had not stopped.

    Parameters
    ----------
    path : path
        File, replaced as a whole each time.
    settings : dict
        JSON values; a file that was written under others is not used.
    modules, optimizers, generators : dict
        Named parts whose state is kept: torch modules, optimisers and random generators.
    """

    def __init__(
        self,
        path: str | Path,
        settings: dict[str, Any],
        modules: dict[str, torch.nn.Module],
        optimizers: dict[str, torch.optim.Optimizer],
        generators: dict[str, torch.Generator],
    ) -> None:
        self.path = Path(path)
        self._settings = settings
        self._modules = modules
        self._optimizers = optimizers
        self._generators = generators

    def write(self, progress: dict[str, Any]) -> None:
        """Keep the state, and `progress`: JSON values such as the steps done."""
        tensors = {}
        for name, module in self._modules.items():
            for key, value in module.state_dict().items():
                tensors[f"module/{name}/{key}"] = value.detach().cpu().clone()
        for name, optimizer in self._optimizers.items():
            for index, state in optimizer.state_dict()["state"].items():
                for key, value in state.items():
                    tensors[f"optimizer/{name}/{index}/{key}"] = value.detach().cpu().clone()
        for name, generator in self._generators.items():
            tensors[f"generator/{name}"] = generator.get_state()
        entry = json.dumps({"settings": self._settings, "progress": progress})
        unfinished = self.path.with_name(self.path.name + ".part")
        unfinished.write_bytes(save(tensors, {_ENTRY: entry}))
        unfinished.replace(self.path)

    def read(self) -> dict[str, Any] | None:
        """Take the state up and return the progress; None where there is nothing to go on with."""
        if not self.path.is_file():
            return None
        try:
            with safe_open(self.path, framework="pt") as file:
                entry = json.loads((file.metadata() or {}).get(_ENTRY, "{}"))
                if entry.get("settings") != self._settings:
                    return None
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except SafetensorError:  # half of another program's file: begin afresh
            return None
        for name, module in self._modules.items():
            module.load_state_dict(_under(tensors, f"module/{name}/"))
        for name, optimizer in self._optimizers.items():
            state: dict[int, dict[str, torch.Tensor]] = {}
            for key, value in _under(tensors, f"optimizer/{name}/").items():
                index, part = key.split("/")
                state.setdefault(int(index), {})[part] = value
            optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
        for name, generator in self._generators.items():
            generator.set_state(tensors[f"generator/{name}"])
        progress: dict[str, Any] = entry["progress"]
        return progress

    def remove(self) -> None:
        """Delete the file: the training is over."""
        self.path.unlink(missing_ok=True)


def _under(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}
