"""The command line: questions in English, by flags and from a file; every mistake one sentence and exit code 2."""

import json
import re
import subprocess
import sys

import pytest
import torch
from helpers.fake_run import FakeRun

from causalcf.ask import FACES, FACES_WITHOUT_LABELS, main, parse_options
from causalcf.cli.command import run as run_command
from causalcf.errors import QueryError
from causalcf.graph.files import save_graph
from causalcf.graph.graph import CausalGraph

QUESTION = "Given a woman, what if she had a moustache?"


@pytest.fixture
def ask(monkeypatch, tmp_path, capsys):
    """Runs the command on a fake run in an empty folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def ask_run(*arguments, run=None):
        monkeypatch.setattr("causalcf.runs.loading.load_run", lambda *_: run or FakeRun(side=64))
        code = run_command(lambda: main(list(arguments)))
        return code, *capsys.readouterr()

    return ask_run


def told(output):
    return json.loads(output)["answers"]


def test_a_question_is_answered_in_words_and_with_a_sheet(ask, tmp_path):
    code, out, err = ask(QUESTION, "-n", "20")
    assert code == 0 and err == "" and out.startswith(QUESTION + "\n") and "wrote ask.png" in out
    assert [path.name for path in tmp_path.iterdir()] == ["ask.png"]


def test_json_is_alone_on_stdout_and_repeats_with_the_seed(ask):
    flags = (QUESTION, "--json", "-n", "20", "--draws", "2", "--stickiness", ".5")
    code, out, err = ask(*flags)
    assert code == 0 and err == ""
    document = json.loads(out)
    assert list(document) == ["run", "seed", "answers"] and document["seed"] == 0
    (one,) = document["answers"]
    assert one["question"] == QUESTION and one["sheet"] == "ask.png" and one["name"] == ""
    assert (one["faces"], one["draws"], one["stickiness"], one["noise_stickiness"]) == (20, 2, 0.5, 0.5)
    assert ask(*flags)[1] == out
    assert ask(*flags, "--seed", "1")[1] != out


def test_flags_ask_the_same_as_english(ask):
    english = ask("Given a young woman, what if we observed that she had a moustache?", "--json", "-n", "9")
    flags = ask("--given", "Male=0,Young=1", "--if", "Mustache=1", "--observe", "--json", "-n", "9")
    repeated = ask("--given", "Young=1", "--given", "Male=0", "--if", "Mustache=1", "--observe", "--json", "-n", "9")
    assert told(english[1])[0]["labels"] == told(flags[1])[0]["labels"] == told(repeated[1])[0]["labels"]
    assert told(flags[1])[0]["stickiness"] == 0.53


def test_a_question_needs_no_quotes(ask):
    assert told(ask(*QUESTION.split(), "--json", "-n", "2")[1])[0]["question"] == QUESTION


@pytest.mark.parametrize("mode", ["do", "observe"])
def test_the_mode_of_a_question_can_be_overridden(ask, mode):
    for text in (QUESTION, "Given a woman, what if she turned out to have a moustache?"):
        assert told(ask(text, f"--{mode}", "--json", "-n", "2")[1])[0]["mode"] == mode


def test_all_questions_of_a_file_are_asked_and_those_that_cannot_be_are_named(ask, tmp_path):
    code, out, err = ask("--queries", "--json", "-n", "5", "--draws", "1", "--out", "six.png")
    answers = told(out)
    assert code == 2 and [one["name"] for one in answers if "error" in one] == ["man-lipstick", "smile"]
    assert re.search("error: smile: .*'Smiling'", err)
    asked = [one["name"] for one in answers if "error" not in one]
    assert asked == ["woman-moustache", "woman-man", "young-man-bald", "glasses"]
    assert {path.name for path in tmp_path.iterdir()} == {f"six-{name}.png" for name in asked}


def test_a_question_of_a_file_is_answered_as_if_asked_alone(ask, tmp_path):
    (tmp_path / "q.yaml").write_text(f"queries: {{a: what if this man were bald, b: '{QUESTION}'}}")
    both = told(ask("--queries", "q.yaml", "--json", "-n", "7")[1])
    alone = told(ask(QUESTION, "--json", "-n", "7")[1])
    assert both[1]["labels"] == alone[0]["labels"] and both[1]["sheet"] == "ask-b.png"


def test_a_run_without_labels_observes_unless_do_insists(ask):
    unlabelled = FakeRun(labelled=False, side=64)
    one = told(ask(QUESTION, "--json", run=unlabelled)[1])[0]
    assert one["mode"] == "observe" and one["faces"] == FACES_WITHOUT_LABELS
    assert told(ask(QUESTION, "--json")[1])[0]["faces"] == FACES
    code, out, err = ask(QUESTION, "--do", run=unlabelled)
    assert code == 2 and out == "" and "intervene" in err


def test_attributes_of_the_runs_graph_can_be_said(tmp_path):
    save_graph(CausalGraph({"Male": [], "Facial_Scar": ["Male"]}), tmp_path / "graph.yaml")
    options = parse_options(["What if this man had a facial scar?", "--run", str(tmp_path)])
    assert options.queries[""].antecedent == {"Facial_Scar": 1}
    with pytest.raises(QueryError, match=r"--if.*'Scar'.*'Facial_Scar'"):
        parse_options(["--if", "Scar=1", "--run", str(tmp_path)])


@pytest.mark.parametrize(
    ("flags", "culprit"),
    [
        (["Given a woman, what if she had purple wings?"], "'purple wings'"),
        (["Given a woman, what if she smiled?"], "'Smiling'.*Young, Male, Bald"),
        ([QUESTION, "--observe", "--stickiness", "1", "--given", "Male=0"], "ask one of"),
        (["What if this woman turned out to be a man?", "--stickiness", "1"], "probability zero"),
        (["--given", "Male=0"], "nothing is supposed"),
        (["--if", "Bald=2"], "--if.*Bald=2"),
        ([], "ask one of"),
        ([QUESTION, "--queries"], "ask one of"),
        (["--queries", "querys"], "querys.*'queries'"),
        ([QUESTION, "--sticky", "1"], "--sticky.*--stickiness"),
        ([QUESTION, "--stickiness", "1.1"], r"--stickiness\b.*\b1\.1\b.*\[0, 1\]"),
        (
            [QUESTION, "--noise-stickiness", "nan"],
            r"\bnoise_stickiness\b.*\bnan\b",
        ),
        ([QUESTION, "--stickiness", "high"], r"\bstickiness\b.*\bhigh\b"),
        ([QUESTION, "-n", "0"], r"--faces\b.*\b0\b.*\b1\b"),
        ([QUESTION, "-n", "1000000"], r"\bfaces\b.*\b1000000\b.*\b174,762\b"),
        ([QUESTION, "--seed", str(2**32)], rf"--seed\b.*\b{2**32}\b.*\[0, 2\^32\)"),
        ([QUESTION, "-n", str(2**32)], rf"\bfaces\b.*\b{2**32}\b.*\b174,762\b"),
        ([QUESTION, "--draws", "-1"], r"--draws\b.*-1\b"),
        ([QUESTION, "--seed", "-1"], r"--seed\b.*-1\b"),
        ([QUESTION, "--do", "--observe"], "not allowed with argument"),
        ([QUESTION, "--out", "nowhere/a.png"], r"--out\b.*nowhere/a\.png"),
        ([QUESTION, "--out", "a.xyz", "-n", "1"], r"\.xyz\b"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(ask, tmp_path, flags, culprit):
    code, out, err = ask(*flags)
    assert code == 2 and out == "" and list(tmp_path.iterdir()) == []
    assert err.startswith("error: ") and err.count("\n") == 1 and re.search(culprit, err)


def test_a_folder_in_the_place_of_the_sheet_is_one_sentence(ask, tmp_path):
    (tmp_path / "adir.png").mkdir()
    code, _, err = ask(QUESTION, "-n", "2", "--draws", "1", "--out", "adir.png")
    assert code == 2 and err.startswith("error: ") and "adir.png" in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["adir.png"]


def test_a_missing_run_is_named(tmp_path):
    command = [sys.executable, "-m", "causalcf.ask", QUESTION, "--run", "runs/mine"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 2 and re.match(r"error: .*\bruns/mine\b", done.stderr) and "Traceback" not in done.stderr


def test_help_needs_no_torch():
    code = "import sys; from causalcf.ask import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "assert 'torch' not in sys.modules, 'torch was imported'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for option in (
        "--given",
        "--if",
        "--queries",
        "--run",
        "--do",
        "--observe",
        "--stickiness",
        "--json",
        "-n",
        "--seed",
    ):
        assert option in done.stdout
    assert "Given SOMEONE, what if PRONOUN PREDICATE?" in done.stdout


def test_asking_moves_no_global_random_state(ask):
    state = torch.get_rng_state()
    ask(QUESTION, "-n", "2")
    assert torch.equal(torch.get_rng_state(), state)
