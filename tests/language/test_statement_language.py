"""Statements in English: what is read, what is refused, and that what is said is read back."""

import pytest
from helpers.statement_strategies import statements
from hypothesis import given
from hypothesis import strategies as st

from causalcf.errors import QueryError, StatementError
from causalcf.language.modals import MODALS, SPOKEN
from causalcf.language.statement import Statement
from causalcf.language.vocabulary import CELEBA_ATTRIBUTES, ROLES, SEX, SUBJECTS, WORDS

YOUNG_MAN = {"Young": 1, "Male": 1}
BALD_IF_OLD = Statement(YOUNG_MAN, {"Young": 0}, "might", {"Bald": 1})
TURNS_BALD = Statement({**YOUNG_MAN, "Bald": 0}, {"Young": 0}, "might", {"Bald": 1})


@given(statements())
def test_a_statement_that_is_said_is_read_back(statement):
    assert Statement.parse(str(statement)) == statement


@given(statements(), st.sampled_from([str.upper, str.title, lambda t: t.replace(" ", "  ").rstrip(".")]))
def test_case_spacing_and_the_full_stop_do_not_matter(statement, change):
    assert Statement.parse(change(str(statement))) == statement


@pytest.mark.parametrize("modal", [*MODALS])
def test_every_single_consequent_is_read_back_under_every_modal(modal):
    for name in CELEBA_ATTRIBUTES:
        for value in (0, 1):
            statement = Statement({}, {"Young": 0}, modal, {name: value})
            assert Statement.parse(str(statement)) == statement


@pytest.mark.parametrize(
    "text",
    [
        "if this young man were old he might be bald",
        "If this young man were old, then he might be bald.",
        "If this young man weren't young he might be bald",
        "Given a young man, if he were old, he might be bald.",
        "If this young man were old, this man might be bald",
        "This young man might be bald if he were old.",
        "Given a young man, he might be bald if he were old.",
        "He might be bald if this young man were old.",
        "if this young man were old they might be hairless",
    ],
)
def test_one_statement_said_in_many_ways(text):
    assert Statement.parse(text) == BALD_IF_OLD


@pytest.mark.parametrize(
    "text",
    [
        "If this young man (who is not bald) were old, he might be bald.",
        "If this young man were old, he might turn bald.",
        "This young man (who isn't bald) might be bald if he were old.",
        "Given a young man who is not bald, if he were old he might be bald.",
    ],
)
def test_the_change_is_meant_where_the_sentence_says_so(text):
    assert Statement.parse(text) == TURNS_BALD == BALD_IF_OLD.about_change()
    assert str(TURNS_BALD) == "If this young man (who is not bald) were old, he might be bald."


@pytest.mark.parametrize(
    ("said", "modal"),
    [
        ("might", "might"),
        ("mightn't", "might not"),
        ("would", "would"),
        ("wouldn't", "would not"),
        ("would never", "would not"),
        ("probably would", "probably"),
        ("'d probably", "probably"),
        ("would probably not", "probably not"),
        ("would likely", "likely"),
        ("likely would not", "likely not"),
    ],
)
def test_modals(said, modal):
    statement = Statement.parse(f"if this man were old he {said} be bald".replace(" '", "'"))
    assert statement == Statement({"Male": 1}, {"Young": 0}, modal, {"Bald": 1})


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        (
            "If we saw that this woman had a moustache, she would be a man.",
            Statement({"Male": 0}, {"Mustache": 1}, "would", {"Male": 1}, "observe"),
        ),
        (
            "If this woman turned out to be smiling, her mouth might not be open.",
            Statement({"Male": 0}, {"Smiling": 1}, "might not", {"Mouth_Slightly_Open": 1}, "observe"),
        ),
        (
            "This woman's mouth would be open if she smiled.",
            Statement({"Male": 0}, {"Smiling": 1}, "would", {"Mouth_Slightly_Open": 1}),
        ),
        (
            "If this man were a woman, she would not have a moustache or a beard.",
            Statement({"Male": 1}, {"Male": 0}, "would", {"Mustache": 0, "No_Beard": 1}),
        ),
        (
            "If this man were old, he might not both be bald and smile.",
            Statement({"Male": 1}, {"Young": 0}, "might not", {"Bald": 1, "Smiling": 1}),
        ),
        (
            "If this man were a woman, he would lose his beard.",
            Statement({"Male": 1, "No_Beard": 0}, {"Male": 0}, "would", {"No_Beard": 1}),
        ),
        (
            "If this man were old, he would be not bald.",
            Statement({"Male": 1}, {"Young": 0}, "would", {"Bald": 0}),
        ),
        (
            "If someone smiled, they might have narrow eyes and not be bald.",
            Statement({}, {"Smiling": 1}, "might", {"Narrow_Eyes": 1, "Bald": 0}),
        ),
    ],
)
def test_statements_in_english(text, statement):
    assert Statement.parse(text) == statement


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("", "empty"),
        ("this man might be bald", "'if'.*'this man might be bald'"),
        ("if this man were old he is bald", "modal.*'if this man were old he is bald'"),
        ("if this man were old he migt be bald", "'migt'.*'might'"),
        ("if this man were old he could be bald", "'could'.*'might', 'would', 'would probably'"),
        ("if this man were old he would not probably be bald", "'would not probably'"),
        ("if this man were old he might would be bald", "'might would'"),
        ("what if this man were old, he might be bald", "'what if this man .* bald'.*question"),
        ("what would happen if this man were old", "'what would happen .* old'.*question"),
        ("if this man were old he might", "follows 'might'"),
        ("if this man were old he might be", "said.*'might'"),
        ("if this man, he might be bald", "'this man'.*verb"),
        ("if he were old might be bald", "whom 'might'"),
        ("if might be bald", "whom 'might'"),
        ("if this man were old, she might be bald", "'she'.*man.*'he' or 'they'"),
        ("if someone were old, he might be bald", "'he'.*'they'"),
        ("if this man were old, this woman might be bald", "'this woman'.*Male=0"),
        ("if this man were old, he might be bald or smile", "^'or'"),
        ("if this man were old, he would not be bald and smile", "'not'.*'would not'.*'would not both"),
        ("if this man were old, he might be bald and not bald", r"'bald' and 'bald'.*Bald=1.*\b0$"),
        ("if this man who smiled were old, he might be bald", "'who'.*'what if'"),
        ("if this man (with a hat) were old, he might be bald", r"'\(with a hat\)'"),
        ("if this man () were old, he might be bald", r"'\(\)'"),
        ("if this bald man (who is not bald) were old, he might smile", r"'\(who is not bald\)'.*\bBald\b.*\b1$"),
        ("if this man (who is not bald were old, he might smile", r"'\('"),
        ("if this man were old, he might turn bald and smile", "Bald, Smiling"),
        (
            "if this man were old, he would not become bald or smile",
            "'become'.*'would not'",
        ),
        ("this man's woman might smile if he were old", "man's woman"),
        ("a man who is old might be bald if he were a woman", "'who'.*'might'.*'Given someone who"),
        ("if this young man were old, the man that is bald would be old", "'that'.*'would'.*'Given someone that"),
        ("if this man were old, his woman might smile", "'his woman'"),
        ("if this man were old he might be bald " * 60, r"\b2280\b"),
        ("if this man were old, he xyz might be bald", "'xyz'"),
    ],
)
def test_what_is_no_statement_is_refused(text, culprit):
    with pytest.raises(StatementError, match=culprit):
        Statement.parse(text)


def test_no_text_is_refused():
    with pytest.raises(StatementError, match=r"\b3$"):
        Statement.parse(3)


def test_words_not_understood_are_shown_from_both_halves_with_the_nearest():
    with pytest.raises(StatementError, match=r"'mustash'.*'mustache'"):
        Statement.parse("if this woman were a man she might have a mustash")
    with pytest.raises(StatementError, match=r"'grean'.*'grin'.*'purple wings'"):
        Statement.parse("if this grean man were old he might have purple wings")


def test_attributes_of_other_graphs_can_be_said():
    text = "If this man with a facial scar were old, he would have no facial scar."
    statement = Statement.parse(text, ["Facial_Scar"])
    assert statement == Statement({"Male": 1, "Facial_Scar": 1}, {"Young": 0}, "would", {"Facial_Scar": 0})
    assert Statement.parse(str(statement), ["Facial_Scar"]) == statement


@pytest.mark.parametrize(
    ("text", "labels", "statement"),
    [
        (
            "If this man smiled, he might be old.",
            "male,smiling,Old",
            Statement({"male": 1}, {"smiling": 1}, "might", {"Old": 1}),
        ),
        (
            "If he had a scarf, he would frown.",
            "Man,has_scarf,Frowning",
            Statement({"Man": 1}, {"has_scarf": 1}, "would", {"Frowning": 1}),
        ),
        (
            "If this woman took her hat off, she might smile.",
            "female,Hat,Smiling",
            Statement({"female": 1}, {"Hat": 0}, "might", {"Smiling": 1}),
        ),
        ("If this young man were older, he might go bald.", "Young,Male,Bald", TURNS_BALD),
    ],
)
def test_labels_of_the_graph_come_first_in_statements(text, labels, statement):
    assert Statement.parse(text, labels.split(",")) == statement


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("If this man wore an ugly hat, he might smile.", "'ugly hat'.*thing"),
        ("If this man smiled, his glasses would be old.", "'old'.*'glasses'"),
        ("If this woman were older, she might be bald.", "'older'.*given.*'old'"),
        ("If this man had to smile, he might be old.", "'to'"),
        ("If this woman smiled instead of a man, she might be old.", "'man'.*given"),
    ],
)
def test_what_statements_do_not_say_of_the_person_is_refused(text, culprit):
    with pytest.raises(StatementError, match=culprit):
        Statement.parse(text)


salad = st.one_of(
    st.sampled_from([*WORDS]),
    st.sampled_from([*ROLES, *SEX, *SUBJECTS, *(" ".join(words) for words in SPOKEN)]),
    st.sampled_from(["if", "given", "what if", "we saw that", "both", "turn", "(who is", ")", "n't", "then", "could"]),
    st.text("aeghlmnst5@'’,.-_()\0禿", max_size=6),
)


@given(
    st.lists(salad, max_size=14), st.sampled_from(["{0} {1}", "if this man {0}, he might {1}", "{0} would {1} if {0}"])
)
def test_word_salads_are_read_or_refused(words, shape):
    middle = len(words) // 2
    text = shape.format(" ".join(words[:middle]), " ".join(words[middle:]))
    try:
        statement = Statement.parse(text)
    except QueryError as error:
        assert isinstance(error, StatementError) and str(error)
    else:
        assert statement.antecedent and statement.consequent
        assert Statement.parse(str(statement)) == statement
