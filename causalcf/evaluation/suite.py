"""What an evaluation asks: links, statements, queries, axioms and realism, from flags or YAML."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..checks import SEEDS, option
from ..cli.parser import CommandOptions, parse_given
from ..errors import QueryError, unknown
from ..io.yaml import FileKind, find_preset, read_mapping
from ..language.conflicts import refuse_conflicts
from ..language.lists import check_keys, load_queries, load_statements
from ..language.query import Query
from ..language.statement import Statement

if TYPE_CHECKING:
    from .interventions import Intervention

ARROWS = ("->", "→", ":")
SHAPE = '"Young->Bald" (in quotes), Young:Bald or Young→Bald'
ALL = "all"
PHOTOGRAPHS, LEAST_PHOTOGRAPHS = 500, 4
HALF_WIDTH, MAX_HALF_WIDTH = 0.03, 0.098  # below 0.01 over ten thousand faces; above 0.098 too few for any verdict
RESPECTED, WEAK, EXAGGERATED = "respected", "weak", "exaggerated"
ABSENT, REVERSED, LEAKS = "absent", "reversed", "leaks"
NONE, WITHHELD = "none", "withheld"
# In the order in which they are listed. Source: the definitions of the evaluation.
VERDICTS = {
    RESPECTED: "the effect is within the margin of the reference and, where the reference exceeds the margin, the "
    "interval lies on the reference's side of 0",
    WEAK: "on the reference's side of 0, but smaller than the reference by more than the margin",
    EXAGGERATED: "on the reference's side of 0, but larger than the reference by more than the margin",
    ABSENT: "the interval holds 0 although the reference exceeds the margin",
    REVERSED: "on the other side of 0 than the reference",
    LEAKS: "the reference is 0, but the effect exceeds the margin",
    NONE: "too few units for a verdict",
    WITHHELD: "the judge reads this attribute too poorly for a verdict",
}
_FILE = FileKind("a suite", "from settings to values", QueryError)
_KEYS = (
    "name", "half_width", "links", "more", "shown", "queries", "statements", "interventions", "faces", "axioms",
    "realism", "photographs",
)  # fmt: skip
_LINK_KEYS = ("link", "given", "held")


@dataclass(frozen=True, order=True)
class Link:
    """Ordered pair of different labels, whether or not the graph has that edge."""

    cause: str
    effect: str

    def __post_init__(self) -> None:
        if self.cause == self.effect:
            raise QueryError(f"the link {self}: a label is not its own cause")

    def __str__(self) -> str:
        return f"{self.cause}->{self.effect}"

    @classmethod
    def parse(cls, text: str) -> Link:
        """Parse "Young->Bald" or "Young:Bald"; the error explains an unquoted arrow in a shell."""
        text = text.strip()
        if not text.isprintable():
            raise QueryError(f"--link {text!r} holds a character that cannot be printed; write {SHAPE}")
        for arrow in ARROWS:
            cause, found, effect = (part.strip() for part in text.partition(arrow))
            if found and cause and effect and not any(a in effect for a in ARROWS):
                return cls(cause, effect)
        if text.endswith("-") and text[:-1].strip():
            raise QueryError(
                f"--link {text}: the shell took the > of an unquoted arrow for a redirection, and the effect for a "
                f'file to write to; quote it, as in --link "{text}>Bald", or write {text[:-1]}:Bald'
            )
        raise QueryError(f"--link {text!r} is no link; write {SHAPE}")

    def check(self, nodes: Sequence[str]) -> None:
        """Refuse labels that a graph lacks; the error names the nearest label."""
        for name in (self.cause, self.effect):
            if name not in nodes:
                raise QueryError(f"the link {self}: " + unknown("label", name, nodes))


def all_links(nodes: Sequence[str]) -> list[Link]:
    """Return every ordered pair of different labels."""
    return [Link(*pair) for pair in permutations(nodes, 2)]


@dataclass(frozen=True)
class LinkQuestion:
    """Link, with labels `given` in the actual faces and labels `held` fixed in both worlds."""

    link: Link
    given: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> Hashable:
        """Equal for the same question, however its labels are ordered."""
        return self.link, frozenset(self.given.items()), frozenset(self.held.items())

    def check(self, nodes: Sequence[str]) -> None:
        """Refuse labels that a graph lacks, and a cause that is held."""
        self.link.check(nodes)
        for what, values in (("given", self.given), ("held", self.held)):
            for name in values:
                if name not in nodes:
                    raise QueryError(f"{self.link}, {what}: " + unknown("label", name, nodes))
        if self.link.cause in self.held:
            raise QueryError(f"{self.link}: {self.link.cause} is flipped and cannot be held")
        if self.link.effect in self.held:
            raise QueryError(f"{self.link}: {self.link.effect} is measured and cannot be held")


@dataclass(frozen=True)
class Suite:
    """Everything that one evaluation asks; links None means every ordered pair of labels."""

    name: str
    links: tuple[LinkQuestion, ...] | None
    more: tuple[LinkQuestion, ...] = ()
    shown: tuple[Link, ...] | None = None
    queries: Mapping[str, Query] = field(default_factory=dict)
    faces: int = 100
    statements: Mapping[str, Statement] = field(default_factory=dict)
    interventions: Mapping[str, Intervention] = field(default_factory=dict)
    axioms: bool = False
    realism: bool = False
    photographs: int = 0
    half_width: float | None = None

    @property
    def flips_labels(self) -> bool:
        """Whether counterfactuals of generated faces are asked for."""
        listed = self.more or self.queries or self.statements or self.interventions
        return self.links != () or bool(listed) or self.axioms

    def questions(self, nodes: Sequence[str]) -> list[LinkQuestion]:
        """Return the questions on links for these labels; check everything else that is asked."""
        asked = [LinkQuestion(link) for link in all_links(nodes)] if self.links is None else list(self.links)
        asked = list({question.key: question for question in (*asked, *self.more)}.values())  # each once
        for question in asked:
            question.check(nodes)
        for link in self.shown or ():
            link.check(nodes)
        for query in self.queries.values():
            query.check(nodes)
        for name, intervention in self.interventions.items():
            try:
                intervention.check(nodes)
            except QueryError as error:
                raise QueryError(f"{name}: {error}") from None
        for name, statement in self.statements.items():
            statement.check(nodes, f"{name}: the graph")
        return asked

    def shows(self, question: LinkQuestion) -> bool:
        """Return whether the faces of a question are drawn."""
        return self.shown is None or question.link in self.shown


def load_suite(path: str | Path) -> Suite:
    """Load a suite from a YAML file or a preset's name; the keys are those of `Suite`."""
    file = find_preset("eval", path, QueryError)
    try:
        tree = read_mapping(file, _FILE)
        check_keys(tree, _KEYS, "the file", QueryError)
        links, shown = tree.get("links", ALL), tree.get("shown")
        if shown is None and links == ALL:
            shown = []
        half_width = _typed(tree, "half_width", float, None)
        if half_width is not None and not 0.01 <= half_width <= MAX_HALF_WIDTH:
            raise QueryError(f"half_width is {half_width:g}; it must be in [0.01, {MAX_HALF_WIDTH}]")
        photographs = _typed(tree, "photographs", int, 0)
        if 0 < photographs < LEAST_PHOTOGRAPHS:
            raise QueryError(f"photographs is {photographs}; it must be at least {LEAST_PHOTOGRAPHS}")
        return Suite(
            name=_typed(tree, "name", str, file.stem),
            links=None if links == ALL else _questions("links", links),
            more=_questions("more", tree.get("more") or []),
            shown=None if shown is None else tuple(question.link for question in _questions("shown", shown)),
            queries=load_queries(_typed(tree, "queries", str, "")) if tree.get("queries") else {},
            statements=suite_statements(_typed(tree, "statements", str, "")) if tree.get("statements") else {},
            interventions=_interventions(tree["interventions"]) if tree.get("interventions") else {},
            faces=_typed(tree, "faces", int, 100),
            axioms=_typed(tree, "axioms", bool, True),
            realism=_typed(tree, "realism", bool, True),
            photographs=photographs,
            half_width=half_width,
        )
    except QueryError as error:
        raise QueryError(f"{file}: {error}") from None


def suite_statements(path: str) -> dict[str, Statement]:
    """Load the statements of a file or preset, and check that no two conflict."""
    found = load_statements(path)
    refuse_conflicts(found, path)
    return found


def _interventions(trees: Any) -> dict[str, Intervention]:
    from .interventions import interventions_of  # with torch, which other suites do not need

    return interventions_of(trees)


def _questions(key: str, trees: Any) -> tuple[LinkQuestion, ...]:
    if not isinstance(trees, list):
        raise QueryError(f"{key}: expected a list of links, not {trees!r}")
    return tuple(map(_question, trees))


def _question(tree: Any) -> LinkQuestion:
    if isinstance(tree, str):
        return LinkQuestion(Link.parse(tree))
    check_keys(tree, _LINK_KEYS, 'a link such as "Young->Bald", or a mapping', QueryError)
    if not isinstance(tree.get("link"), str):
        raise QueryError(f"{tree!r} names no link")
    parts = {what: tree.get(what) or {} for what in ("given", "held")}
    for what, values in parts.items():
        if not isinstance(values, dict) or any(v not in (0, 1) or isinstance(v, bool) for v in values.values()):
            raise QueryError(f"{tree['link']}, {what}: expected labels and 0 or 1, not {values!r}")
    return LinkQuestion(Link.parse(tree["link"]), **parts)


def _typed(tree: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    value = tree.get(key, default)
    if value is default:
        return default
    right = isinstance(value, (int, float) if kind is float else kind) and isinstance(value, bool) == (kind is bool)
    if not right or (kind is int and value < 1):
        allowed = {str: "text", int: "a whole number from 1", float: "a number", bool: "true or false"}[kind]
        raise QueryError(f"{key}: expected {allowed}, not {value!r}")
    return value


@dataclass(frozen=True)
class EvalOptions(CommandOptions):
    """Options of `python -m causalcf.eval`."""

    link: tuple[str, ...] = option(
        (), '"Young->Bald" in quotes, Young:Bald or Young→Bald; may be repeated', action="append", metavar="LINK",
        parse=tuple,
    )  # fmt: skip
    suite_file: str | None = option(
        None, "ask all that a suite lists (eval/celeba.yaml)", name="--suite", nargs="?", const="celeba", metavar="FILE"
    )
    statements: str | None = option(
        None, "are these statements true in the images? (celeba, or a file); replaces those of a suite", metavar="FILE"
    )
    photographs: int | None = option(
        None,
        f"how well are this many held-out photographs drawn again, and do their labels flip? (default {PHOTOGRAPHS}); "
        "replaces a suite's",
        name="--photos", nargs="?", const=PHOTOGRAPHS, low=LEAST_PHOTOGRAPHS, high=100_000, metavar="N",
    )  # fmt: skip
    given: dict[str, int] = option(
        None, "only faces with these labels", action="append", metavar="NAME=0|1,...", parse=parse_given
    )
    mode: Literal["do", "observe"] | None = option(None, "ask in this mode only; approaches without it are left out")
    run: tuple[str, ...] = option(
        (), "the runs to compare; default: the newest finished run of each kind, on the newest run's data", nargs="+",
        metavar="RUN",
        parse=lambda runs: tuple(runs or ()),
    )  # fmt: skip
    runs_dir: str = option("runs", "folder of runs, classifiers and judges", metavar="FOLDER")
    graph: str | None = option(None, "causal graph to assume; default: the one of the runs", metavar="GRAPH")
    judge: str | None = option(
        None, "the judge; default: judge-<data> beside the runs, trained first if there is none", metavar="FOLDER"
    )
    features: str | None = option(
        None, "classifier whose features realism compares; default: features-<data> beside the runs, if there is one",
        metavar="FOLDER",
    )  # fmt: skip
    classifier: str | None = option(
        None, "antecedent classifier of a dcgan; default: classifier-<data> beside the runs", metavar="FOLDER"
    )
    data_root: str | None = option(None, "folder of the images, if it has moved", metavar="FOLDER")
    changed_data: bool = option(
        False, "evaluate although the images or labels have changed since the training", action="store_true"
    )
    stickiness: float | None = option(
        None,
        "probability that a noise is kept, for approaches by ESM and runs with --generator-labels; default: 1 for do, "
        "0.53 for observe",
        low=0, high=1, metavar="S",
    )  # fmt: skip
    budget: int = option(
        30, "noises to try for each face, on average; for a dcgan and a run with --generator-labels", low=1, metavar="B"
    )
    half_width: float | None = option(
        None,
        f"half-width of an effect's 95 % interval; it sets the number of faces. Default: the suite's, or {HALF_WIDTH} "
        "(1,068 faces)",
        low=0.01, high=MAX_HALF_WIDTH, metavar="W",
    )  # fmt: skip
    require: str | None = option(
        None, "exit with 1 unless every link gets this verdict, such as respected", metavar="VERDICT"
    )
    seed: int = option(0, "seed of all random draws, in [0, 2^32)", low=0, below=SEEDS)
    out: Path | None = option(
        None, "folder of the report; an interrupted evaluation there is resumed. Default: a new folder in --runs-dir",
        metavar="FOLDER",
    )  # fmt: skip
    device: str = option("auto", "auto, cpu, cuda, cuda:1, ...")
    suite: Suite = field(default_factory=lambda: Suite("", ()))

    _GROUPS: ClassVar = {
        "questions": ("link", "suite_file", "statements", "photographs", "given", "mode"),
        "what is compared": ("run", "runs_dir", "graph"),
        "what measures it": ("judge", "features", "classifier", "data_root", "changed_data"),
        "precision and outcome": ("stickiness", "budget", "half_width", "require", "seed", "out", "device"),
    }
    _RENAMED: ClassVar = {"runs": ("run", lambda value, _: value), "base": ("runs_dir", lambda value, _: value)}
