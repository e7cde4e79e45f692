"""Pages of the site that are not in this folder: README and its neighbours, and the API reference."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

import causalcf

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("README.md", "MODEL_CARD.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")
FILES = ("CITATION.cff", "LICENSE")  # named by them, shown as they are
GROUPS = {
    "Graphs and label models": ("CausalGraph", "load_graph", "save_graph", "LabelSCM", "fit_label_scm"),
    "Questions and statements": ("Query", "load_queries", "answer", "Statement", "load_statements"),
    "Runs": ("load_run", "Run", "Worlds", "CounterfactualWorlds", "Recipe"),
    "Counterfactual noise": (
        "counterfactual_noise",
        "CounterfactualNoise",
        "esm_cf_sampler",
        "gaussian_cf_sampler",
        "optimise_noise",
        "sample_where",
    ),
    "Data and classifiers": ("load_data", "load_classifier", "AttributeClassifier"),
}


def reference() -> str:
    """Return the page of all public names; those in no group stand at its end, with the errors."""
    listed = {name for names in GROUPS.values() for name in names}
    others = tuple(name for name in causalcf._PUBLIC if name not in listed)
    parts = ["# API reference", "All names are in `causalcf`: `import causalcf as cf`."]
    for title, names in {**GROUPS, "Errors": others}.items():
        parts += [f"## {title}", *(f"::: causalcf.{name}" for name in names)]
    parts += ["## Exact reference model", "::: causalcf.esm.DiscreteSCM"]
    return "\n\n".join(parts) + "\n"


def on_files(files: Files, config: Any) -> Files:
    """Add the pages."""
    for name in PAGES:
        files.append(
            File.generated(config, "index.md" if name == "README.md" else name, content=(ROOT / name).read_text())
        )
    for name in FILES:
        files.append(File.generated(config, name, content=(ROOT / name).read_text()))
    files.append(File.generated(config, "reference.md", content=reference()))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between the root and docs/ into links within the site."""
    depth = page.file.src_uri.count("/")
    if page.file.src_uri in ("index.md", *PAGES):
        return re.sub(r"\]\(docs/", "](", markdown).replace("](README.md", "](index.md")
    up = "../" * (depth + 1)
    return markdown.replace(f"]({up}README.md", f"]({'../' * depth}index.md").replace(f"]({up}", f"]({'../' * depth}")
