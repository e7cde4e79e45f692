"""Every command in the documents is one that works: run as it stands where it is cheap, else taken as far as it is."""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
import torch
from helpers.documents import DOCUMENTS, ROOT, Command, blocks, commands
from helpers.report_toys import suite

from causalcf.checks import Options
from causalcf.cli.command import run as run_command
from causalcf.cli.parser import parse_command
from causalcf.evaluation.suite import load_suite
from causalcf.graph.files import load_graph
from causalcf.language.lists import load_statements

README = (ROOT / "README.md").read_text()


@dataclass(frozen=True)
class Row:
    """How far the commands that begin with these words are taken.

    Args:
        begins: the first words, the longest row that fits counting.
        level: "run": for real, with the words of `small` behind; "dry": train's own --dry-run; "parsed": by the
            command's parser, which reads the files named; "made": make's own dry run; "there": files named are.
        small: words that keep a command short which is run.
        slow: words with which it is run for real among the slow tests; None: its own tests run it small.
    """

    begins: str
    level: str
    small: str = ""
    slow: str | None = None


TRAINED = "--images 128 --batch 8 --width 8 --labeler-width 2 --noise-dim 5 --data-size 400"
CONTINUED = f"{TRAINED} --noise-weight 0 --statement-classifier READER --statement-from 0"
READER = "--images 512 --batch 64 --width 8 --data-size 200"
LEVELS = (
    Row("make", "made"),
    Row("torchrun", "dry"),
    Row("torchrun --nproc-per-node 2 -m causalcf.eval", "parsed"),
    Row("python -m pytest", "there"),
    Row("python -m causalcf.train", "dry"),
    Row("python -m causalcf.train --help", "run"),
    Row("python -m causalcf.train --resume", "dry", slow=""),
    Row("python -m causalcf.train --approach", "dry", slow=TRAINED),
    Row("python -m causalcf.train --graph mine.yaml", "dry", slow=TRAINED),
    Row(
        "python -m causalcf.train --init-from",
        "dry",
        slow=f"{TRAINED} --noise-weight 0 --statement-classifier READER --statement-from 0",
    ),
    Row("python -m causalcf.classify", "parsed"),
    Row("python -m causalcf.classify --data faces", "parsed", slow=READER),
    Row("python -m causalcf.ask", "run", small="-n 4 --device cpu"),
    Row("python -m causalcf.ask --photo", "parsed"),
    Row("python -m causalcf.ask --run pretrained:celeba --photo", "parsed"),
    Row("python -m causalcf.explore", "run", small="--faces 2 --columns 3 --pairs 1"),
    Row("python -m causalcf.export", "run"),
    Row("python -m causalcf.export RUN --out celeba --report", "parsed"),
    Row("python -m causalcf.page", "run"),
    Row("python -m causalcf.encode", "parsed"),
    Row("python -m causalcf.page --run pretrained:faces --out faces.html --report", "parsed"),
    Row("python -m causalcf.statements", "run"),
    Row("python -m causalcf.statements FILE", "run"),
    Row("python -m causalcf.draw", "run"),
    Row("python -m causalcf.data.faces", "run", small="--n 2"),
    Row("python -m causalcf.eval", "parsed", slow="--judge READER --classifier READER --half-width .098"),
    Row("python -m causalcf.eval --suite eval/celeba.yaml", "parsed"),
    Row("python -m causalcf.eval --suite eval/statements.yaml", "parsed"),
    Row("python -m causalcf.eval --suite eval/images.yaml --run RUN RUN", "parsed"),
    Row("python benchmarks/summarise_reports.py", "run"),
    Row("python benchmarks/rare_antecedent.py", "run", small="--probability .01 --repeats 2"),
    Row("python benchmarks/label_agreement.py", "parsed", slow="-n 20 --reader READER"),
    Row("python benchmarks/checkerboard.py", "run", small="-n 20"),
    Row("python benchmarks/train_step.py", "parsed", slow="--width 8 --batch 8 --seconds 1"),
    Row("python benchmarks/statement_experiment.py", "parsed"),
    Row("python benchmarks", "parsed"),
    Row("python examples", "run"),
)
RUN = "runs/latest"
PLACEHOLDERS = {
    "PATH": "photographs",
    "RUN": RUN,
    "LINK": "Young:Bald",
    "UNCONSTRAINED": RUN,
    "CONSTRAINED": RUN,
    "FOLDER": RUN,
    "FILE": "celeba",
    "REPORT/report.json": "report.json",
    "runs/judge-celeba": "READER",
}
FOUND = [one for path in DOCUMENTS for one in commands(path.read_text(), path.name)]
TYPED = [one for one in FOUND if one.block or len(one.words) > 3 or one.words[0] != "python"]
NAMED = [one for one in FOUND if one not in TYPED]  # in a sentence, by its module's name alone


def level_of(command: Command) -> Row:
    """The row of the table that a command belongs to.

    Raises:
        KeyError: it belongs to none.
    """
    rows = [row for row in LEVELS if " ".join(command.words).startswith(row.begins)]
    if not rows:
        raise KeyError(f"{command} is in no row of the table of levels")
    return max(rows, key=lambda row: len(row.begins))


def filled(words: tuple[str, ...]) -> list[str]:
    return [PLACEHOLDERS.get(word, word) for word in words]


def arguments_of(command: Command) -> tuple[str, list[str]]:
    """The module or script that a python or torchrun command runs, and what it is told."""
    words = list(command.words[1:])
    if command.words[0] == "torchrun":
        from torch.distributed.run import parse_args

        told = parse_args(filled(tuple(words)))
        return told.training_script, told.training_script_args
    if words[0] == "-m":
        return words[1], filled(tuple(words[2:]))
    return words[0], filled(tuple(words[1:]))


def loaded(name: str):
    """A module by its name, or a script of the checkout by its path."""
    if not name.endswith(".py"):
        return importlib.import_module(f"{name}.__main__" if name == "causalcf.data.faces" else name)
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    assert spec is not None and spec.loader is not None, name
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def run(name: str, told: list[str], monkeypatch) -> int:
    """The exit code of a command, run in this process."""
    module = loaded(name)
    monkeypatch.setattr(sys, "argv", [name, *told])
    if "--help" in told:
        with pytest.raises(SystemExit) as ended:
            module.main()
        return ended.value.code
    return run_command(module.main)


def parsed(name: str, told: list[str], monkeypatch) -> None:
    """Takes a command as far as the end of its parser."""
    module = loaded(name)
    if not name.endswith(".py"):
        if hasattr(module, "parse_options"):
            module.parse_options(told)
            return
        (options,) = (
            one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Options) and fields(one)
        )
        parse_command(options, told, name, "", "")
        return
    parse, done = argparse.ArgumentParser.parse_args, []

    def stop(parser, *given):
        done.append(parse(parser, told))
        raise KeyboardInterrupt

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    with pytest.raises(KeyboardInterrupt):
        module.main()
    assert done


def write_tables(folder):
    """What `--dry-run` reads of CelebA, or of a folder of images: the tables, without an image."""
    from causalcf.language.vocabulary import CELEBA_ATTRIBUTES

    (folder / "img_align_celeba").mkdir(parents=True)
    names = CELEBA_ATTRIBUTES
    values = ["1"] * len(names)
    (folder / "list_attr_celeba.txt").write_text(f"1\n{' '.join(names)}\n1.jpg {' '.join(values)}\n")
    (folder / "list_eval_partition.txt").write_text("1.jpg 0\n")
    (folder / "labels.csv").write_text(f"file,{','.join(names)}\n1.jpg,{','.join(values)}\n")


@pytest.fixture(scope="module")
def place(runs, tmp_path_factory):
    """Where a reader would stand: a trained run, a graph of one's own, a report."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree((runs / "a" / "latest").resolve(), folder / "runs" / "mine")
    write_tables(folder / "photographs")
    mine = next(block for block in blocks(README, "yaml") if block.startswith("# mine.yaml"))
    (folder / "mine.yaml").write_text(mine)
    (folder / "her.jpg").touch()
    (folder / "report.json").write_text(json.dumps(suite()))
    return folder


@pytest.fixture
def here(place, runs, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
    monkeypatch.chdir(place)
    Path(RUN).unlink(missing_ok=True)  # a training before may have made it its own
    Path(RUN).symlink_to("mine")
    threads, modules = torch.get_num_threads(), set(sys.modules)
    yield place
    torch.set_num_threads(threads)
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None)).startswith((str(ROOT / "benchmarks"), str(ROOT / "ex"))):
            del sys.modules[name]


def each(found):
    seen: dict[tuple[str, ...], Command] = {}
    for one in found:
        seen.setdefault(one.words, one)
    return pytest.mark.parametrize("command", list(seen.values()), ids=str)


@each(TYPED)
def test_a_documented_command_works(command, here, monkeypatch):
    row = level_of(command)
    if row.level == "made":
        done = subprocess.run(["make", "--dry-run", *command.words[1:]], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return
    if row.level == "there":
        assert all((ROOT / word).exists() for word in command.words[3:] if "/" in word)
        return
    name, told = arguments_of(command)
    if row.level == "run":
        assert run(name, [*told, *row.small.split()], monkeypatch) == 0
    elif row.level == "dry":
        assert run(name, [*told, "--dry-run"], monkeypatch) == 0
    else:
        parsed(name, told, monkeypatch)


@each(NAMED)
def test_a_command_named_in_a_sentence_is_there(command, here):
    assert callable(loaded(arguments_of(command)[0]).main)


@pytest.fixture(scope="module")
def reader(place, runs):
    """A classifier that hardly learned anything, which does for being read by."""
    from causalcf.classifiers.experiment import make_classifier
    from causalcf.classifiers.recipe import ClassifierRecipe

    small = ClassifierRecipe(
        network="alexnet", images=512, batch=64, width=8, data_size=200, runs_dir=str(place / "runs")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALCF_CACHE", str(runs / "cache"))
        return make_classifier(small)


@pytest.mark.slow
@each([one for one in TYPED if level_of(one).slow is not None and "PATH" not in one.words])
def test_a_dear_command_works_when_it_is_made_small(command, here, reader, monkeypatch):
    name, told = arguments_of(command)
    told += level_of(command).slow.split()
    if name == "causalcf.eval" and "--run" not in told:
        told += ["--run", RUN]
    if "--run" in told and told.count(RUN) > 1:
        told.remove(RUN)  # the same run would be named twice
    told = [str(reader) if word == "READER" else word for word in told]
    assert run(name, told, monkeypatch) in ((0, 1) if "--require" in told else (0,))


@pytest.mark.parametrize("words", ["pip install causalcf", "python -m causalcf.trian", "python benchmark/none.py"])
def test_a_command_of_no_level_is_noticed(words, monkeypatch):
    with pytest.raises((KeyError, ModuleNotFoundError)):
        command = Command("here", tuple(words.split()))
        level_of(command)
        loaded(arguments_of(command)[0])


def test_renamed_flags_and_moved_files_are_noticed(here, monkeypatch):
    for line in ("python -m causalcf.eval --links a:b", "python -m causalcf.eval --suite eval/moved.yaml"):
        command = Command("here", tuple(line.split()))
        with pytest.raises(Exception, match=r"--links\b.*--link\b|eval/moved\.yaml"):
            parsed(*arguments_of(command), monkeypatch)
    with pytest.raises(SystemExit):
        parsed("benchmarks/train_step.py", ["--widht", "3"], monkeypatch)
    with pytest.raises(FileNotFoundError):
        parsed("benchmarks/moved.py", [], monkeypatch)


def test_commands_are_found_in_every_kind_of_block():
    text = (
        'Type `make lint`, or:\n\n```console\n$ .venv/bin/python -m causalcf.ask "a b"   # why\n$ ls\n```\n\n'
        "    python benchmarks/x.py RUN ...   # so\n    torchrun --standalone \\\n        -m causalcf.train\n"
        "    left out\n"
    )
    assert [(one.words, one.block) for one in commands(text)] == [
        (("make", "lint"), False),
        (("python", "-m", "causalcf.ask", "a b"), True),
        (("python", "benchmarks/x.py", "RUN"), True),
        (("torchrun", "--standalone", "-m", "causalcf.train"), True),
    ]
    assert len(TYPED) > 50  # the documents have not gone elsewhere


def value_claimed(comment: str) -> float | None:
    """The value that a comment behind an expression begins with, if it does."""
    first = comment.split()[0].rstrip(":") if comment.strip() else ""
    with contextlib.suppress(ValueError):
        return {"True": 1.0, "False": 0.0}.get(first) if first in ("True", "False") else float(first)
    return None


def test_the_python_of_the_documents_runs_and_is_right(here):
    names: dict[str, object] = {}
    checked = 0
    for path in DOCUMENTS:
        for block in blocks(path.read_text(), "python"):
            lines = block.splitlines()
            for part in ast.parse(block).body:
                told = value_claimed(lines[part.end_lineno - 1].partition("  # ")[2])
                if isinstance(part, ast.Expr) and told is not None:
                    assert eval(ast.unparse(part), names) == pytest.approx(told, abs=5.1e-5), lines[part.lineno - 1]
                    checked += 1
                else:
                    exec(compile(ast.Module([part], []), str(path), "exec"), names)
    assert checked >= 3


def test_the_yaml_of_the_documents_is_read(here, tmp_path):
    for number, block in enumerate(block for path in DOCUMENTS for block in blocks(path.read_text(), "yaml")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        first = block.split(":")[0]
        assert {"statements": load_statements, "interventions": load_suite}.get(first, load_graph)(file)
