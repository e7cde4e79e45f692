"""Every public name has an example that runs: by pytest those that need nothing, here those that need a run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import sys

import pytest

import causalcf

PACKAGES = ("causalcf",)
ELSEWHERE = {"main"}


def public():
    found = {}
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            found[f"{package}.{name}"] = getattr(module, name)
    kinds = inspect.isclass, inspect.isfunction
    return {name: value for name, value in found.items() if any(is_kind(value) for is_kind in kinds)}


def examples(value):
    return doctest.DocTestParser().get_examples(inspect.getdoc(value) or "")


def test_every_public_name_has_an_example():
    names = public()
    assert len(names) > 30
    without = [name for name, value in names.items() if not examples(value)]
    assert [name for name in without if name.rpartition(".")[2] not in ELSEWHERE] == []


def needing_a_run():
    """Names whose examples pytest skips; those that need a classifier, too, stay skipped."""
    skipped = {
        value: name
        for name, value in public().items()
        if any(doctest.SKIP in part.options for part in examples(value))
        and value not in (causalcf.load_classifier, causalcf.AttributeClassifier)
    }
    return list(skipped.values())


@pytest.mark.parametrize("name", needing_a_run())
def test_examples_that_need_a_trained_run(name, runs, tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "latest").symlink_to((runs / "a" / "latest").resolve())
    value = public()[name]
    parts = examples(value)
    for part in parts:
        part.options.pop(doctest.SKIP, None)
    space = {**vars(sys.modules[value.__module__]), "load_run": causalcf.load_run}
    test = doctest.DocTest(parts, space, name, None, 0, None)
    runner = doctest.DocTestRunner(verbose=False)
    told: list[str] = []
    runner.run(test, out=told.append)
    assert runner.failures == 0 and runner.tries == len(parts) > 0, "".join(told)
