"""An exported run is small, tells nothing of the machine it was trained on, and answers like the run itself."""

import builtins
import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import causalcf as cf
from causalcf.ask import main as ask
from causalcf.cli.command import run as run_command
from causalcf.data.images import to_unit_interval
from causalcf.errors import CausalCFError, RunError
from causalcf.evaluation.inputs import load_runs
from causalcf.export import export
from causalcf.export import main as export_command
from causalcf.language.query import Query
from causalcf.runs.exported import WEIGHTS, read_state, write_state
from causalcf.train import main as train

HALF = 2**-10  # float16 has 11 binary digits
CELEBA = Path(__file__).resolve().parents[3] / "shared" / "data" / "celeba" / "img_align_celeba"


@pytest.fixture(scope="session")
def exported(runs, tmp_path_factory):
    """{approach: (run, its export)} of a causalgan and a dcgan run; not to be changed."""
    place = tmp_path_factory.mktemp("exported")
    found = {}
    for name in ("a", "b"):
        run = cf.load_run(runs / name / "latest", "cpu")
        export(run.folder, place / name)
        found[run.recipe.approach] = run, cf.load_run(place / name, "cpu")
    return found


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("approach", ["causalgan", "dcgan"])
def test_it_draws_the_same_noise_and_labels_and_images_within_rounding(exported, approach):
    run, copy = exported[approach]
    ours, theirs = (one.sample(16, generator=seeded()) for one in (run, copy))
    assert torch.equal(ours.noise, theirs.noise) and torch.equal(ours.labels, theirs.labels)
    assert (ours.images - theirs.images).abs().max() < 10 * HALF
    assert not torch.equal(run.sample(16, generator=seeded(1)).images, theirs.images)


def test_the_label_model_is_exact_and_the_labeler_nearly(exported):
    run, copy = exported["causalgan"]
    assert torch.equal(run.labels.joint(), copy.labels.joint())
    ask = {"given": {"Male": 1}, "do": {"Young": 0}}
    assert run.labels.probability({"Bald": 1}, **ask) == copy.labels.probability({"Bald": 1}, **ask)
    images = run.sample(8, generator=seeded()).images
    assert (run.classify(images) - copy.classify(images)).abs().max() < 10 * HALF
    worlds = copy.sample(4, generator=seeded())
    assert torch.equal(copy.counterfactual(worlds, do={"Young": 0}, stickiness=1.0).noise[:, 0], worlds.noise)


def test_it_is_small_and_holds_no_path(exported, tmp_path, runs):
    run, copy = exported["causalgan"]
    weights = copy.folder / WEIGHTS
    numbers = sum(part.numel() for net in (run.generator, run.labeler) for part in net.state_dict().values())
    assert weights.stat().st_size < 2 * numbers + 40_000
    for file in copy.folder.iterdir():
        assert str(runs.parent).encode() not in file.read_bytes()
    assert copy.recipe.runs_dir == "runs" and copy.recipe.seed == run.recipe.seed


def test_photographs_and_statements_are_named_without_their_folder(tmp_path, exported):
    from causalcf.runs.exported import exported_state
    from causalcf.runs.recipe import Recipe

    state = read_state(exported["causalgan"][1].folder / WEIGHTS)
    recipe = Recipe(
        data="celeba", data_root="/home/me/celeba", statements="/home/me/mine.yaml", graph="/home/me/own.yaml",
        init_from="/home/me/runs/x", statement_classifier="/home/me/c",
    )  # fmt: skip
    kept = exported_state(state | {"telling": None}, recipe)["recipe"]
    assert (kept["data_root"], kept["statements"], kept["graph"]) == ("celeba", "mine.yaml", "own.yaml")
    assert kept["init_from"] is kept["statement_classifier"] is None
    assert "/home/me" not in json.dumps(kept)


def test_it_is_asked_by_the_command_and_evaluated(exported, tmp_path, capsys):
    folder = exported["causalgan"][1].folder
    out = str(tmp_path / "ask.png")
    assert (
        run_command(lambda: ask(["--run", str(folder), "-n", "4", "--json", "--out", out, "What if he were old?"])) == 0
    )
    assert json.loads(capsys.readouterr().out)["answers"][0]["antecedent"] == {"Young": 0}
    assert list(load_runs([folder], "cpu", None)) == [folder.name]


@pytest.mark.parametrize("flag", ["--resume", "--init-from"])
def test_it_cannot_be_trained_on(exported, flag, capsys, tmp_path):
    folder = exported["causalgan"][1].folder
    places = [] if flag == "--resume" else ["--runs-dir", str(tmp_path)]
    assert run_command(lambda: train([flag, str(folder), *places])) == 2
    assert "is an exported run, which can be asked and not trained on" in capsys.readouterr().err


def test_a_folder_that_exists_is_refused_and_a_failure_leaves_none(exported, tmp_path, monkeypatch, capsys):
    run = exported["causalgan"][0].folder
    with pytest.raises(RunError, match=r"--out\b.*\bexists\b"):
        export(run, tmp_path)
    monkeypatch.setattr("causalcf.export.card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(run, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []
    assert run_command(lambda: export_command([str(run)])) == 2
    assert "--out" in capsys.readouterr().err
    assert run_command(lambda: export_command([str(tmp_path / "nothing"), "--out", str(tmp_path / "new")])) == 2


def test_the_question_of_the_card_can_be_asked(exported):
    for approach, classifier in (("causalgan", ""), ("dcgan", " --classifier CLASSIFIER")):
        copy = exported[approach][1]
        (question,) = re.findall(rf'ask --run FOLDER{classifier} "(.+)"', (copy.folder / "README.md").read_text())
        Query.parse(question, copy.graph.nodes).check(copy.graph.nodes)


def test_the_card_says_what_it_is_of_with_the_figures_of_the_run_alone(exported, tmp_path):
    run = exported["causalgan"][0]
    report = {
        "realism": {"causalgan": {"run": run.folder.name, "n": 9, "FD(judge)": 3.25}, "other": {"run": "x"}},
        "approaches": [{"name": "causalgan do", "run": run.folder.name, "images": 64}],
        "axioms": {
            "causalgan do": {
                "effectiveness": {"all": {"value": 0.5, "low": 0.25, "high": 0.75}, "labels": {"Young": {}}},
                "minimality": {"non_descendants": None, "pixels": {"value": 0.5, "low": None, "high": None}},
                "diversity": {"value": 0.125, "low": 0.0, "high": 1.0, "n": 25},
            }
        },
    }
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report))
    export(run.folder, tmp_path / "out", file)
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| FD(judge) | 3.250 |" in card and "| effectiveness, all | 0.500 [0.250, 0.750] |" in card
    assert "| diversity | 0.125 [0.000, 1.000] |" in card and "minimality" not in card
    assert "64 images seen" in card and "Nobody is depicted" in card and run.graph.name in card
    report["approaches"][0]["images"] = 32
    file.write_text(json.dumps(report))
    with pytest.raises(RunError, match=rf"report\.json is of {run.folder.name} after 32 images; it has seen 64 now"):
        export(run.folder, tmp_path / "out2", file)
    report["realism"]["causalgan"]["run"] = report["approaches"][0]["run"] = "another"
    file.write_text(json.dumps(report))
    with pytest.raises(RunError, match=rf"report\.json\b.*{run.folder.name}"):
        export(run.folder, tmp_path / "out2", file)
    assert not (tmp_path / "out2").exists()


def test_a_weight_beyond_float16_is_refused(exported, tmp_path, monkeypatch):
    from causalcf.runs.exported import exported_state

    copy = exported["causalgan"][1]
    state = read_state(copy.folder / WEIGHTS) | {"telling": None}
    state["networks"]["average.project.bias"] = torch.full((1,), 1e5)
    with pytest.raises(RunError, match=r"average\.project\.bias\b.*\bfloat16\b"):
        exported_state(state, copy.recipe)


def damaged(folder, tmp_path, change):
    shutil.copytree(folder, tmp_path / "copy")
    file = tmp_path / "copy" / WEIGHTS
    file.write_bytes(change(file.read_bytes()))
    return tmp_path / "copy"


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-7],
        lambda content: content[:20],
        lambda content: b"",
        lambda content: b"\xff" * 64,
        lambda content: content.replace(b'\\"places\\"', b'\\"plbces\\"'),
        lambda content: content.replace(b"average.project.weight", b"average.project.weighs"),
        lambda content: content.replace(b'\\"causalgan\\"', b'\\"causalgun\\"'),
    ],
)
def test_damaged_weights_are_refused_by_name(exported, tmp_path, change):
    folder = damaged(exported["causalgan"][1].folder, tmp_path, change)
    with pytest.raises(RunError, match=rf"{WEIGHTS}\b"):
        cf.load_run(folder, "cpu")


def test_weights_alone_are_refused(exported, tmp_path):
    from safetensors.torch import save_file

    folder = damaged(exported["causalgan"][1].folder, tmp_path, lambda content: content)
    save_file({"x": torch.zeros(2)}, folder / WEIGHTS)
    with pytest.raises(RunError, match=r"\bweights alone\b"):
        cf.load_run(folder, "cpu")


def test_a_run_of_the_package_is_found_by_name(exported, tmp_path, monkeypatch):
    shutil.copytree(exported["causalgan"][1].folder, tmp_path / "faces")
    monkeypatch.setattr("causalcf.io.yaml.PRETRAINED", tmp_path)
    monkeypatch.setattr("causalcf.runs.directory.PRETRAINED", tmp_path)
    run = cf.load_run("pretrained:faces", "cpu")
    assert run.folder == tmp_path / "faces" and str(run.beside) == "runs"
    with pytest.raises(RunError, match=r"'fces'.*\bfaces\b"):
        cf.load_run("pretrained:fces")


@pytest.mark.parametrize(
    ("name", "licence"), [("faces", "Nobody is depicted"), ("celeba", "non-commercial research only")]
)
def test_a_run_of_the_package_is_small_says_what_it_is_and_answers(name, licence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = cf.load_run(f"pretrained:{name}", "cpu").folder
    assert sum(file.stat().st_size for file in folder.iterdir()) < 5e6
    card = (folder / "README.md").read_text()
    assert licence in card and "FD(judge)" in card and "None were measured" not in card
    assert ask(["--run", f"pretrained:{name}", "-n", "4", "Given a woman, what if she had a moustache?"]) == 0
    assert "wrote ask.png" in capsys.readouterr().out


def test_the_run_of_faces_shows_its_labels_and_draws_its_images_again(judge):
    run = cf.load_run("pretrained:faces", "cpu")
    worlds = run.sample(200, generator=seeded())
    read = judge.classifier.select(run.graph.nodes).labels(worlds.images)
    assert (read == worlds.labels).double().mean() > 0.95
    known = run.abduct(worlds.images[:4], worlds.labels[:4])
    assert (known.generated - worlds.images[:4]).abs().mean() < 0.1


def test_the_run_of_photographs_shows_the_labels_it_drew_and_not_those_of_others():
    run = cf.load_run("pretrained:celeba", "cpu")
    worlds = run.sample(200, generator=seeded())
    read = run.classify(worlds.images) > 0.5
    assert (read == worlds.labels).double().mean() > 0.9
    assert (read == worlds.labels.roll(1, 0)).double().mean() < 0.8


@pytest.mark.skipif(not CELEBA.is_dir(), reason="CelebA's images are not beside the project")
def test_the_run_of_photographs_draws_held_out_ones_again_and_flips_them(tmp_path, monkeypatch):
    monkeypatch.setenv("CAUSALCF_CACHE", str(tmp_path))
    run = cf.load_run("pretrained:celeba", "cpu")
    data = cf.load_data("celeba", CELEBA.parent, split="valid", progress=False)
    images, labels = to_unit_interval(data.batch(torch.arange(64))), data.select(run.graph.nodes)[:64]
    worlds = run.abduct(images, labels)
    assert torch.equal(run.counterfactual(worlds, do={}).images[:, 0], images)
    error = (worlds.generated - images).square().mean((1, 2, 3))
    strangers = (worlds.generated.roll(1, 0) - images).square().mean((1, 2, 3))
    assert (-10 * error.log10()).mean() > 17  # dB, the aim for the encoder
    assert (error < strangers).double().mean() > 0.9
    glasses = run.graph.nodes.index("Eyeglasses")
    worn = run.counterfactual(worlds, do={"Eyeglasses": 1}).images[:, 0]
    assert run.classify(images)[:, glasses].mean() < 0.3
    assert run.classify(worn)[:, glasses].mean() > 0.9


names = st.text("ab.$", min_size=1, max_size=3)
tensors = st.lists(st.floats(-9, 9), max_size=3).map(lambda row: torch.tensor(row, dtype=torch.float64))
plain = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3) | st.just([1, "a"])
trees = st.dictionaries(names, st.recursive(plain | tensors, lambda inner: st.dictionaries(names, inner, max_size=3)))


@given(state=trees)
def test_any_state_is_read_as_it_was_written(state, tmp_path_factory):
    file = tmp_path_factory.mktemp("state") / "x.safetensors"
    write_state(file, state)
    assert same(read_state(file), state)
    shutil.rmtree(file.parent)


def same(a, b):
    if isinstance(b, dict):
        return isinstance(a, dict) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in b)
    return torch.equal(a, b) if isinstance(b, torch.Tensor) else (type(a), a) == (type(b), b)


@pytest.mark.parametrize("approach", ["causalgan", "dcgan"])
def test_onnx_gives_the_images_of_pytorch(exported, tmp_path, approach):
    onnxruntime = pytest.importorskip("onnxruntime")
    run, copy = exported[approach]
    export(run.folder, tmp_path / "out", onnx=True)
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "generator.onnx"))
    for n in (1, 5):
        worlds = copy.sample(n, generator=seeded())
        inputs = {"noise": worlds.noise.numpy()}
        if approach == "causalgan":
            inputs["labels"] = worlds.labels.float().numpy()
        assert abs(session.run(None, inputs)[0] - worlds.images.numpy()).max() < 1e-4


def test_without_onnx_the_package_is_named(exported, tmp_path, monkeypatch):
    usual = builtins.__import__

    def without(name, *rest, **options):
        if name == "onnxruntime":
            raise ImportError("none", name=name)
        return usual(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CausalCFError, match=r"onnxruntime.*causalcf\[onnx\]"):
        export(exported["dcgan"][0].folder, tmp_path / "out", onnx=True)
    assert not (tmp_path / "out").exists()
