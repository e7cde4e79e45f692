"""From a recipe to a finished classifier: load the data, train, save, and score on unseen images."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from ..cli.command import say
from ..data import attribute_names
from ..errors import CausalCFError, DataError, RunError, unknown
from ..io.files import write_atomically
from ..io.folders import META, check_link, point_to, provenance
from ..io.progress import counting
from ..io.untrusted import read_json, refuse_links_out
from ..networks.precision import choose_device, choose_precision
from .classifier import AttributeClassifier
from .recipe import ClassifierRecipe, classifier_recipe
from .report import JSON, tensorboard_writer, write_report
from .splits import Splits, split_data
from .storage import NAME, classifier_folder, find_classifier, load_classifier, save_classifier
from .training import Progress, train_classifier


def make_classifier(recipe: ClassifierRecipe) -> Path:
    """Train a classifier, report on it, and return its folder; an interrupted training leaves no folder."""
    recipe = recipe.resolved()
    device = choose_device(recipe.device)
    names = attribute_names(recipe.data, recipe.data_root, recipe.attributes or ())
    attributes = recipe.attributes or names
    for attribute in attributes:  # before any image is decoded
        if attribute not in names:
            raise DataError(f"data set {recipe.data!r}: " + unknown("attribute", attribute, names))
    check_link(Path(recipe.runs_dir) / _link(recipe))
    parts = split_data(recipe)
    precision = choose_precision(recipe.precision, device)
    assert recipe.seed is not None
    with classifier_folder(recipe) as folder:
        say(
            f"{recipe.network}, width {recipe.width}: {len(attributes)} attributes from {len(parts.train):,} images "
            f"({parts.train.description}); {device.type}, {precision}, {torch.get_num_threads()} threads; {folder}"
        )
        meta = provenance(recipe.seed, device, precision, parts.train.data.fingerprint)
        meta |= {"recipe": recipe.to_dict(), "images": parts.to_dict()}
        classifier, description = _train(recipe, parts, attributes, device, precision, folder)
        write_atomically(folder / META, json.dumps({**meta, **description}, indent=2).encode())
        save_classifier(folder / NAME, classifier)
    _finish(folder, classifier, parts, recipe, description["images_seen"])
    return folder


def report_again(source: str, device: str = "auto", data_root: str | None = None) -> Path:
    """Write the report and the sheets of a trained classifier again; its data must be unchanged."""
    folder = find_classifier(source).resolve().parent
    try:
        meta = read_json(folder / META)
        recipe = classifier_recipe({**meta["recipe"], **({"data_root": data_root} if data_root else {})}, warn=False)
        known = {kind: meta["images"][kind]["fingerprint"] for kind in (part.name for part in fields(Splits))}
        images_seen = int(meta["images_seen"])
        refuse_links_out(folder)
    except (OSError, LookupError, TypeError, CausalCFError) as error:
        raise RunError(f"{folder} does not say what its classifier was trained on: {error}; train it anew") from error
    parts = split_data(recipe)
    for kind, part in vars(parts).items():
        if part.data.fingerprint != known[kind]:
            raise RunError(
                f"{folder} was made with {part.description} {known[kind]}; found now: {part.data.fingerprint}. Put the "
                "original data back, name their folder with --data-root, or train a classifier of these"
            )
    _finish(folder, load_classifier(folder, device), parts, recipe, images_seen)
    return folder


def _finish(
    folder: Path, classifier: AttributeClassifier, parts: Splits, recipe: ClassifierRecipe, images_seen: int
) -> None:
    """Write the report; link the classifier as the newest of its data, if it is new or none is linked."""
    links = not (folder / JSON).is_file() or not (folder.parent / _link(recipe)).exists()
    assert recipe.seed is not None
    report = write_report(folder, classifier, parts, recipe.seed, images_seen)
    if links:
        point_to(folder, _link(recipe))
    print(report.to_markdown().split("\n- ")[0])
    say(f"finished; {folder}")


def _link(recipe: ClassifierRecipe) -> str:
    return f"{recipe.role}-{recipe.data}"


def _train(
    recipe: ClassifierRecipe,
    parts: Splits,
    attributes: tuple[str, ...],
    device: torch.device,
    precision: str,
    folder: Path,
) -> tuple[AttributeClassifier, dict[str, Any]]:
    """Train the classifier; return it with the training statistics for `meta.json`."""
    assert recipe.images is not None
    start, curve = time.perf_counter(), []
    with tensorboard_writer(folder) as board, counting("training", recipe.images) as advance:

        def on_evaluation(progress: Progress) -> None:
            curve.append(progress)
            board.add_scalar("loss/train", progress.train_loss, progress.images)
            board.add_scalar("loss/held_out", progress.held_out_loss, progress.images)
            board.flush()
            losses = f"loss {progress.train_loss:.4f}  held out {progress.held_out_loss:.4f}"
            say(f"{progress.images:>9,} images  {losses}{'  best so far' * progress.best}")

        classifier = train_classifier(
            recipe, parts.train, parts.held_out, attributes, device, precision, advance, on_evaluation
        )
    seconds = time.perf_counter() - start
    best = [progress for progress in curve if progress.best][-1]
    return classifier, {
        "images_seen": curve[-1].images,
        "seconds": round(seconds, 1),
        "images_per_second": round(curve[-1].images / seconds, 1),
        "best_at": best.images,
        "held_out_loss": best.held_out_loss,
        "curve": [vars(progress) for progress in curve],
    }
