"""Questions in English, by flags and from files; a question that is said is read back."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalcf.cli.parser import parse_conditions
from causalcf.errors import CausalCFError, QueryError
from causalcf.io.yaml import preset_folder
from causalcf.language.lists import load_queries
from causalcf.language.query import Query
from causalcf.language.vocabulary import CELEBA_ATTRIBUTES, ROLES, SEX, SUBJECTS, WORDS


def conditions(least, most):
    names = st.lists(st.sampled_from(CELEBA_ATTRIBUTES), min_size=least, max_size=most, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: st.integers(0, 1) for name in chosen}))


queries = st.builds(Query, conditions(0, 4), conditions(1, 3), st.sampled_from(["do", "observe"]))

MUSTACHE = Query({"Male": 0}, {"Mustache": 1})
FOUND = Query({"Male": 0}, {"Mustache": 1}, "observe")


@given(queries)
def test_a_question_that_is_said_is_read_back(query):
    assert Query.parse(str(query)) == query


@given(queries, st.sampled_from([str.upper, str.title, lambda t: t.replace("'", "’").replace(" ", "  ")]))
def test_case_spacing_and_apostrophes_do_not_matter(query, change):
    assert Query.parse(change(str(query))) == query


def test_every_single_antecedent_of_every_single_given_is_read_back():
    for one in CELEBA_ATTRIBUTES:
        for other in CELEBA_ATTRIBUTES:
            query = Query({one: 0}, {other: 1})
            assert Query.parse(str(query)) == query


@pytest.mark.parametrize(
    ("text", "given_", "antecedent"),
    [
        ("Given a woman, what if she had a moustache?", {"Male": 0}, {"Mustache": 1}),
        ("Given a young man, what if he were bald?", {"Young": 1, "Male": 1}, {"Bald": 1}),
        ("What if this woman were a man?", {"Male": 0}, {"Male": 1}),
        ("Given someone without glasses, what if they wore glasses?", {"Eyeglasses": 0}, {"Eyeglasses": 1}),
        ("Given someone not smiling, what if they smiled?", {"Smiling": 0}, {"Smiling": 1}),
        ("Given a man, what if he was wearing lipstick?", {"Male": 1}, {"Wearing_Lipstick": 1}),
        (
            "Given an old bald man with glasses, what if he were young and not bald?",
            {"Young": 0, "Bald": 1, "Male": 1, "Eyeglasses": 1},
            {"Young": 1, "Bald": 0},
        ),
        ("given a woman what if she had a mustache", {"Male": 0}, {"Mustache": 1}),
        ("A woman. What if they hadn’t a moustache?", {"Male": 0}, {"Mustache": 0}),
        ("Given that someone is smiling, what would happen if they didn't smile?", {"Smiling": 1}, {"Smiling": 0}),
        ("For a man in glasses: if he wore no eye-glasses?", {"Male": 1, "Eyeglasses": 1}, {"Eyeglasses": 0}),
        ("Given a woman, what if this woman smiled?", {"Male": 0}, {"Smiling": 1}),
        ("Given a woman, what if this old person smiled?", {"Male": 0, "Young": 0}, {"Smiling": 1}),
        ("What if this woman's mouth were open?", {"Male": 0}, {"Mouth_Slightly_Open": 1}),
        ("Given a man, what if his hair weren't grey?", {"Male": 1}, {"Gray_Hair": 0}),
        ("What if someone smiled?", {}, {"Smiling": 1}),
        ("What if they smiled?", {}, {"Smiling": 1}),
        ("Given a woman, what if she were a woman?", {"Male": 0}, {"Male": 0}),
        ("What if this woman's a man?", {"Male": 0}, {"Male": 1}),
        ("What if this woman wore a hat instead of glasses?", {"Male": 0}, {"Wearing_Hat": 1, "Eyeglasses": 0}),
    ],
)
def test_interventions_in_english(text, given_, antecedent):
    assert Query.parse(text) == Query(given_, antecedent, "do")


@pytest.mark.parametrize(
    "text",
    [
        "Given a woman, what if we observed that she had a moustache?",
        "Given a woman, what if we saw she had a moustache?",
        "Given a woman, what if we had found out that she has a moustache?",
        "Given a woman, what if it turned out that she had a moustache?",
        "Given a woman, what if she turned out to have a moustache?",
        "What if this woman were seen to have a moustache?",
        "What if we learned that this woman had a moustache?",
    ],
)
def test_observations_in_english(text):
    assert Query.parse(text) == FOUND


def test_questions_as_they_are_said():
    assert str(MUSTACHE) == "Given a woman, what if she had a moustache?"
    assert str(FOUND) == "Given a woman, what if we observed that she had a moustache?"
    assert str(Query({}, {"Young": 0})) == "Given someone, what if they were old?"
    assert MUSTACHE.as_mode("observe") == FOUND


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("Given a woman, what if he had a moustache?", "'he'.*woman.*'she'"),
        ("Given a man, what if her mouth were open?", "'her'.*man.*'he'"),
        ("Given an old man, what if he had bags under her eyes?", "'her'.*man.*'he'"),
        ("What if she smiled?", "'she'.*'Given a woman'"),
        ("Given someone without glasses, what if he wore glasses?", "'he'.*'Given a man'"),
        ("Given a woman, what if a man smiled?", "'woman' and 'man'.*Male"),
        ("Given a young old man, what if he smiled?", "'young' and 'old'.*Young"),
        ("Given a man, what if he were bald and not bald?", r"'bald' and 'bald'.*Bald=1.*\b0$"),
        ("Given a man, what if he were bald and hairless?", "'bald' and 'hairless'.*Bald=1$"),
        ("Given a man, what if he?", "supposed.*'if'"),
        ("Given a man, what if", "supposed.*'if'"),
        ("Make this man and woman smile", "'what if'.*'Make this man and woman smile'"),
        ("Give this man and this woman glasses", "'what if'"),
        ("Put lipstick on this man and glasses", "'what if'"),
        ("Put this old man in lipstick", "'what if'"),
        ("Put this woman", "'what if'"),
        ("Given a woman, give her a man", "'what if'"),
        ("Given a man", "'what if'.*'Given a man'"),
        ("What if a bald man?", "'a bald man'.*verb"),
        ("What if a man who smiled were old?", "'who'.*'what if'"),
        ("Given a man, what if he were bald or old?", "^'or'"),
        ("Given a man, what if he had a woman's smile?", "had a woman's"),
        ("Given anyone but a woman, what if they were bald?", "'anyone but'"),
        ("What if this man's young woman smiled?", "man's young woman"),
        ("", "empty"),
        ("what if he smiled " * 600, r"\b10800\b"),
    ],
)
def test_what_cannot_be_asked_is_refused(text, culprit):
    with pytest.raises(QueryError, match=culprit):
        Query.parse(text)


def test_words_not_understood_are_shown_from_both_halves():
    with pytest.raises(QueryError, match=r"'green', 'purple wings'.*'green'"):
        Query.parse("Given a green man, what if he had purple wings?")
    with pytest.raises(QueryError, match=r"'mustash'.*'mustache'"):
        Query.parse("Given a woman, what if she had a mustash?")
    with pytest.raises(QueryError, match="'whta'"):
        Query.parse("Given a woman, whta if she smiled?")


salad = st.one_of(
    st.sampled_from([*WORDS]),
    st.sampled_from([*ROLES, *SEX, *SUBJECTS, "given", "what if", "if", "we saw", "turned out to", "n't", "weren't"]),
    st.text("aeghlmnst5@'’,.-_\0禿", max_size=6),
)


@given(st.lists(salad, max_size=14), st.booleans())
def test_word_salads_are_read_or_refused(words, shaped):
    text = " ".join(words)
    if shaped:
        text = f"Given {text[: len(text) // 2]}, what if they {text[len(text) // 2 :]}"
    try:
        query = Query.parse(text)
    except QueryError as error:
        assert str(error)
    else:
        assert query.antecedent and Query.parse(str(query)) == query


def test_attributes_of_other_graphs_can_be_said():
    query = Query.parse("Given a man with a facial scar, what if he had no facial scar?", ["Facial_Scar"])
    assert query == Query({"Male": 1, "Facial_Scar": 1}, {"Facial_Scar": 0})
    assert Query.parse(str(query), ["Facial_Scar"]) == query


def test_a_graph_without_the_attribute_says_what_it_has():
    MUSTACHE.check(["Male", "Mustache"])
    with pytest.raises(QueryError, match=r"'Mustache'.*Male, Smiling"):
        MUSTACHE.check(["Male", "Smiling"])


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (({"Male": 0}, {}), "supposed"),
        (({"Male": 2}, {"Bald": 1}), "given.*Male=2"),
        (({}, {"Bald": 0.5}), r"antecedent.*Bald=0\.5"),
        (({}, {"": 1}), "antecedent.*''"),
        (("Male", {"Bald": 1}), "given='Male'"),
        (({}, {"Bald": 1}, "see"), "mode.*'see'.*do, observe"),
    ],
)
def test_malformed_queries(arguments, culprit):
    with pytest.raises(QueryError, match=culprit):
        Query(*arguments)


def test_a_query_keeps_no_hold_of_what_it_was_made_from():
    values = {"Male": 1}
    query = Query(values, {"Bald": 1})
    values["Male"] = 0
    assert query.given == {"Male": 1}


def test_conditions_by_flag():
    assert parse_conditions(["Male=0,Young=1", " Bald = 0 "], "--given") == {"Male": 0, "Young": 1, "Bald": 0}
    assert parse_conditions([], "--given") == {}


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("Mal=0", "--given.*'Mal'.*'Male'"),
        ("Male", "--given.*'Male'"),
        ("=1", "--given.*'=1'"),
        ("", "--given.*''"),
        ("Male=0,", "--given.*''"),
        ("Male=yes", "--given.*Male=yes"),
        ("Male=0,Male=0", r"--given.*\bMale\b.*twice"),
    ],
)
def test_mistaken_flags(text, culprit):
    with pytest.raises(QueryError, match=culprit):
        parse_conditions([text], "--given", ["Male", "Young"])


def test_the_six_questions_that_are_shipped():
    assert (
        load_queries("queries")
        == load_queries(preset_folder("eval") / "queries.yaml")
        == {
            "woman-moustache": MUSTACHE,
            "man-lipstick": Query({"Male": 1}, {"Wearing_Lipstick": 1}),
            "woman-man": Query({"Male": 0}, {"Male": 1}),
            "young-man-bald": Query({"Young": 1, "Male": 1}, {"Bald": 1}),
            "glasses": Query({"Eyeglasses": 0}, {"Eyeglasses": 1}),
            "smile": Query({"Smiling": 0}, {"Smiling": 1}),
        }
    )


def test_questions_as_mappings(tmp_path):
    (tmp_path / "q.yaml").write_text("queries:\n  a: {given: {Male: 0}, antecedent: {Mustache: 1}, mode: observe}\n")
    assert load_queries(tmp_path / "q.yaml") == {"a": FOUND}


@pytest.mark.parametrize(
    ("content", "culprit"),
    [
        (b"", "empty.*'queries'"),
        (b"- a\n", "a list"),
        (b"query: {}\n", "'query'.*'queries'"),
        (b"queries: {}\n", "'queries'"),
        (b"queries: {a: 3}\n", r"\ba: .*question"),
        (b"queries: {a: what if a green man smiled}\n", r"\ba: .*'green'"),
        (b"queries: {a: {given: {Male: 0}, antecdent: {Bald: 1}}}\n", r"\ba: .*'antecdent'.*'antecedent'"),
        (b"queries: {a: {given: {Male: 0}}}\n", r"\ba: .*supposed"),
        (b"queries: {a: {given: 3, antecedent: {Bald: 1}}}\n", r"\ba: given=3\b"),
        (b"queries: {a: {antecedent: {Bald: 1}, mode: [do]}}\n", r"\ba: .*\bmode\b.*'do'"),
        (b"queries:\n  a: what if he smiled\n  a: x\n", r"line 3\b.*'a'.*line 2\b"),
        (b"queries:\n  a: &b x\n  c: *b\n", r"line 2, column 6\b.*\banchors\b"),
        (b"queries:\n  ? [a]\n  : x\n", r"line 2, column 5\b.*\bkey\b"),
        (b"queries: {a: [\n", "YAML"),
        (b"queries: {a: !!python/name:os.system x}\n", r"line 1, column 14\b.*'x'.*os\.system"),
        (b"\xff\xfe", r"\b0xff\b"),
        (b"[" * 5000, r"\b8\b"),
        (b"#" * (2**20 + 1), r"\b\d+ kB\b"),
    ],
)
def test_files_that_are_no_list_of_questions(tmp_path, content, culprit):
    (tmp_path / "q.yaml").write_bytes(content)
    with pytest.raises(QueryError, match=rf"q\.yaml: .*{culprit}"):
        load_queries(tmp_path / "q.yaml")


def test_missing_files_name_the_nearest_preset(tmp_path):
    with pytest.raises(QueryError, match=r"'querys'.*'queries'"):
        load_queries("querys")
    with pytest.raises(QueryError):
        load_queries("x" * 5000)
    assert issubclass(QueryError, CausalCFError)


def test_what_is_not_understood_is_told_with_the_graphs_own_labels():
    with pytest.raises(QueryError, match=r"not understood: 'dog'; .* words such as 'scarf', 'has beret',"):
        Query.parse("What if someone had a dog?", ("scarf", "has_beret", "tall"))


@pytest.mark.parametrize("label", ["na\u00efve", "nai\u0308ve", "\u0130ri", "\u00c9l\u00e8ve_2", "E\u0301le\u0300ve_2"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_accent_is_read_however_it_is_written(label, form):
    said = unicodedata.normalize(form, label.replace("_", " "))
    assert Query.parse(f"What if someone were not {said}?", (label, "x")).antecedent == {label: 0}
