"""Exported runs: a folder of a few MB that is asked like the run it was made from, and cannot be trained on.
`weights.safetensors` holds the networks in float16, and the label model to the last digit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import CausalCFError, RunError
from ..io.files import write_atomically
from ..io.untrusted import check_size, parse_json
from .recipe import Recipe

WEIGHTS = "weights.safetensors"
NETWORKS = ("average", "labeler", "encoder")  # what asking takes: the EMA generator, the Labeler, the encoder if any
LICENCES = {
    "faces": "The images are drawn by a program of this package. Nobody is depicted.",
    "celeba": "CelebA is for non-commercial research only, and so is this run. It must not be passed on for anything "
    "else. The people depicted were not asked.",
    "folder": "The run inherits the licence of the images that it was trained on. Say here which it is.",
}
LIMITS = (
    "The labels are words of annotators about looks. They say nothing about a person.",
    "The graph is an assumption, which data can contradict and cannot prove.",
    "A counterfactual image shows what this generator draws under the label model. It does not show what would have "
    "been.",
    "Do not use it to judge or identify a real person, and do not pass its pictures off as photographs.",
)
_PRIVATE = {"init_from": None, "statement_classifier": None, "runs_dir": "runs"}  # paths on the machine of the training


def evaluated_approaches(report: Mapping[str, Any], path: Path, run: str, images: int) -> list[str]:
    """Return a run's approaches in an evaluation's report; RunError if the run had seen another number of images."""
    rows = [one for one in report["approaches"] if one["run"] == run]
    for one in rows:
        if one["images"] != images:
            raise RunError(
                f"{path} is of {run} after {one['images']:,} images; it has seen {images:,} now: evaluate it again"
            )
    return [str(one["name"]) for one in rows]


def exported_state(state: Mapping[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Return what asking takes of a checkpoint's state: float16 networks, and no path of the training's machine."""
    options = {**recipe.to_dict(), **_PRIVATE}
    for key in ("data_root", "statements", "graph"):
        options[key] = options[key] and Path(options[key]).name
    kept = {name: part for name, part in state["networks"].items() if name.split(".")[0] in NETWORKS}
    halves = {name: part.half() if part.is_floating_point() else part for name, part in kept.items()}
    for name, part in halves.items():
        if not part.isfinite().all():
            raise RunError(f"the weight {name} is beyond float16, whose largest number is 65,504")
    told = state.get("telling")
    constraint = None if told is None else {"classifier": told["classifier"]}
    same = {key: state[key] for key in ("step", "seconds", "data_fingerprint", "labels")}
    # float32 gives the same images on every machine, also where bf16 is slow.
    own = {"recipe": options, "device": "cpu", "precision": "float32", "telling": constraint, "networks": halves}
    return {**same, **own}


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state of tensors and plain values as a safetensors file; its header has the values, as JSON."""
    places = dict(_tensors(state, ()))
    names = {place: f"{number} {'.'.join(place)}" for number, place in enumerate(places)}
    header = {"values": _values(state), "places": {name: place for place, name in names.items()}}
    tensors = {name: places[place].contiguous() for place, name in names.items()}
    write_atomically(path, save(tensors, {"run": json.dumps(header, allow_nan=False)}))


def read_state(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what `write_state` wrote; nothing in the file is executed."""
    check_size(path)
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = file.metadata() or {}
    except SafetensorError as error:
        raise CausalCFError(f"no safetensors file: {error}") from None
    if "run" not in header:
        raise CausalCFError("it holds weights alone, without the run that they are of")
    stored = parse_json(header["run"], path)
    state: dict[str, Any] = stored["values"]
    for name, (*above, last) in stored["places"].items():
        part = state
        for key in above:
            part = part[key]
        part[last] = tensors[name]
    return state


def _tensors(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """Yield all tensors in mappings within each other, with the keys that lead to them."""
    if isinstance(value, Tensor):
        yield place, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tensors(part, (*place, key))


def _values(value: Any) -> Any:
    """Return the value without its tensors."""
    if isinstance(value, Mapping):
        return {key: _values(part) for key, part in value.items() if not isinstance(part, Tensor)}
    return value
