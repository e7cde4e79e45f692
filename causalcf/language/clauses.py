"""The clauses of a question in English: who is given, what is supposed of them, what is asked about it; and what in a
clause may speak of somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from ..errors import QueryError
from . import vocabulary as v
from .vocabulary import SHAPE, Token, Words

_OPENERS = ("given", "for", "take", "consider", "imagine", "suppose")
# Sentences as patterns over their words. The slots: who is described (`before`, `who`), what is supposed of them (`so`,
# or `clause`, which has a subject), what is asked about it (`told`); `both` is `who` and what follows.
_POLITE = "(?:(?:can|could|will|would) you )?(?:please )?(?P<rest>.+?)(?:(?: ,)? please)?"
_FIRST = "(?:(?P<before>.+?)(?: ,)? )??"
_LOOK = "(?:show (?:me )?)?(?:what|how)(?: would| will| does| do)? (?P<who>.+?) (?:would )?(?:looks?(?: like)?|be like)"
_BESIDE_IF = (
    _FIRST + "(?:what would happen|what happens|what)",
    _FIRST + _LOOK,
    "show (?:me )?(?P<who>.+)",
    _FIRST + "would (?P<both>.+)",
    "(?P<before>.*)",
)
_WITHOUT_IF = (
    "(?:imagine|suppose|picture) (?:that )?(?P<clause>.+?)(?: , (?:what|how) would (?:he|she|it|they) look(?: like)?)?",
    _FIRST + _LOOK + "(?: as(?= an? ))? (?P<so>.+)",
    "show (?:me )?(?P<who>.+?) as (?P<so>an? .+)",
)
_ORDER = "(?:(?P<before>.+?) , )??"
_ORDERS = (
    _ORDER + "(?:make|made|let|(?P<give>give|gave)) (?P<both>.+)",
    _ORDER + "(?:turn|change|transform)(?:ed|d)? (?P<who>.+) (?:into|to) (?P<so>an? .+)",
    _ORDER + "(?:put|add|added) (?P<so>.+?) (?:on|to) (?P<person>.+)",
    _ORDER + "(?P<so>(?:removed?|take off|took off) .+?) from (?P<person>.+)",
    _ORDER + "(?P<so>(?:removed?|take|took|shaved?)(?: off)?) (?P<person>.+?) 's (?P<thing>.+)",
    _ORDER + "(?P<so>(?:removed?|take|took|shaved?|put) .+)",
    _ORDER + "(?:add|added) (?P<so>.+)",
)
# What turns an antecedent into an observation: before its subject, and after it.
_SEEN = "observed|found|seen"
_SAW = f"(?P<saw>we (?:had )?(?:see|saw|observe|noticed|learned|learnt|discovered|{_SEEN})(?: out)?|it turned out)"
_SAW += "(?: that)? (?P<clause>.+)"
_PROVED = f"(?P<saw>turned out to|proved to|(?:was|were) (?:{_SEEN}) to) (?P<so>.+)"
Slots = dict[str, list[Token]]
_GOES_ON = v.RELATIVE | {"with", "without", "in", "that"}  # after a noun for someone: it goes on
_SHOWING = frozenset(("face", "image", "one", "photo", "picture"))  # before "of" and the person described
_WITH_OF = frozenset(("instead", "out", "pair", "rid"))
_UNIVERSAL = frozenset(("any", "anybody", "anyone"))  # before "but" they except
_STOPS = (v.Role.LEAD, v.Role.NOT, v.Role.PERSON, v.Role.BUT, v.Role.OR, v.Role.COMMA)


class Question(NamedTuple):
    """Clauses of one question: noun phrases before and in it, which pronouns are not, and a problem with them or ""."""

    described: list[Token]
    named: list[list[Token]]
    so: list[Token]
    told: list[Token]
    observed: bool
    problem: str


def split_question(text: str, tokens: list[Token], words: Words) -> Question:
    """Split a question into its clauses."""
    tokens = next(_slots((_POLITE,), tokens), {"rest": tokens})["rest"]
    said = [token.word for token in tokens]
    found: Slots = {}
    if "if" in said:
        main, clause = tokens[: said.index("if")], tokens[said.index("if") + 1 :]
        asked = next((i for i, token in enumerate(clause) if token.word in ("what", "how", "would")), len(clause))
        found = next(_slots(_BESIDE_IF, [*main, *clause[asked:]]), {})
        who, told = _who(found)
        clause = _without_commas(clause[:asked])
        found |= {"who": who, "told": told, "clause": clause}
        if clause and clause[0].word in ("we", "you", "i") and (order := _order(clause[1:])):
            found |= {"clause": [], "so": order["so"], "person": order["who"]}
    else:
        found = next(_slots(_WITHOUT_IF, tokens), {}) or _order(tokens)
        if not found:
            raise QueryError(f"no 'what if' in {shown(text)}; ask for example {SHAPE}")
    saw = next(_slots((_SAW,), found.get("clause", [])), {"clause": found.get("clause", [])})
    subject, so = split_subject(saw["clause"], words)
    proved = next(_slots((_PROVED,), so), {"so": so})
    before = _without_commas(found.get("before", []))
    before = before[1:] if before and before[0].word in _OPENERS else before
    named = [found.get("who", []), found.get("person", []), subject]
    named = [noun for noun in named if noun and not (len(noun) == 1 and noun[0].word in v.SUBJECTS | v.OBJECTS)]
    told, observed = found.get("told", []), "saw" in saw or "saw" in proved
    problem = _problem(text, subject, saw["clause"], named, words)
    return Question(before, named, found.get("so", proved["so"]), told, observed, problem)


def _slots(patterns: Sequence[str], tokens: list[Token]) -> Iterator[Slots]:
    """Yield the slots of each pattern that the words match."""
    said = " ".join(token.word for token in tokens)
    for match in filter(None, (re.fullmatch(pattern, said) for pattern in patterns)):
        starts = {slot: said[: match.start(slot)].count(" ") for slot, got in match.groupdict().items() if got}
        yield {slot: tokens[at : at + match[slot].count(" ") + 1] for slot, at in starts.items()}


def _order(tokens: list[Token]) -> Slots:
    """Return `before`, `who` and `so` of an imperative."""
    for found in _slots(_ORDERS, tokens):
        who, so = _who(found) if "both" in found else (found.get("who", []), found.get("so", []))
        if "person" in found:
            who, so = found["person"], [*so, *found.get("thing", [])]
            known = who[0].word in v.OBJECTS or (_before_noun(who[0]) and any(map(v.is_person, who)))
            if not known or any(token.word == "and" for token in who):  # "and": another order
                continue
        elif "both" in found:
            # "make the man with a hat bald", "make this man and woman smile", "give her a man"
            if not so or so[0].word in _GOES_ON | {"and"} or ("give" in found and v.is_person(so[-1])):
                continue
        elif not who and any(map(v.is_person, so)):
            continue  # "put this man in lipstick"
        return {"who": who, "so": so, "before": found.get("before", [])}
    return {}


def _who(found: Slots) -> tuple[list[Token], list[Token]]:
    """Split `both`, such as "her bald" or "an old man be bald", after the noun phrase."""
    both = found.get("both", [])
    if not both:
        return found.get("who", []), []
    said = [token.word for token in both]
    if said[0] in v.POSSESSIVES and (said[0] != "her" or not v.HEADS.isdisjoint(set(said[1:2]) - {"smile", "grin"})):
        return [], both  # "his mouth open"
    verbs = (i for i, word in enumerate(said) if word in v.INFINITIVES and i and not _before_noun(both[i - 1]))
    people = (i + 1 for i, token in enumerate(both) if token.word in v.SUBJECTS | v.OBJECTS or v.is_person(token))
    end = said.index(v.POSSESSIVE) if v.POSSESSIVE in said else next(people, len(both))
    if said[end : end + 1] and said[end] in _GOES_ON | {"wearing"}:  # "an old man with a hat be bald"
        end = next(verbs, end)
    return both[:end], both[end:]


def _before_noun(token: Token) -> bool:
    return v.ROLES.get(token.word) is v.Role.ARTICLE or token.word in ("no", "with", "without")


def _without_commas(tokens: list[Token]) -> list[Token]:
    return _without_commas(tokens[:-1]) if tokens and tokens[-1].word == v.COMMA else tokens


def split_subject(tokens: list[Token], words: Words) -> tuple[list[Token], list[Token]]:
    """Split a noun phrase from its predicate; a pronoun or possessive gives no noun phrase."""
    first = tokens[0].word if tokens else ""
    if first in v.SUBJECTS:
        return [], tokens[1:]
    ends = (i for i, token in enumerate(tokens) if token.word == v.POSSESSIVE or _is_finite(tokens[i : i + 2], words))
    end = 0 if first in v.POSSESSIVES else next(ends, len(tokens))
    return tokens[:end], tokens[end:]


def relative_pronoun(subject: Sequence[Token]) -> str:
    """Return the word that begins a relative clause in a noun phrase, or ""."""
    words = [token.word for token in subject]
    return next((word for i, word in enumerate(words) if word in v.RELATIVE or (word == "that" and i)), "")


def _is_finite(tokens: Sequence[Token], words: Words) -> bool:
    """Return whether the first word is a verb with a subject, such as "frowned" if "frowning" is known."""
    word = tokens[0].word
    if word in ("closed", "opened", "shut"):
        return tokens[-1].word in v.POSSESSIVES
    stems = {word.removesuffix(ending) for ending in ("ed", "s", "es")} - {word}
    return word in v.FINITE or (word in words and any(f"{stem}ing" in words for stem in stems))


def _problem(text: str, subject: list[Token], clause: list[Token], named: list[list[Token]], words: Words) -> str:
    if relative := relative_pronoun(subject):
        advice = f"begin with 'Given someone {relative} ..., what if they ...'"
        return f"{relative!r} after 'what if' hides where the subject ends; {advice}"
    if clause and clause[0].word in v.POSSESSIVES and not any(_is_finite([token], words) for token in clause):
        named = [clause]
    for noun in named:
        whole = text[noun[0].start : noun[-1].end]
        if noun is clause or (noun is subject and len(subject) == len(clause)):
            return f"{whole!r} has no verb such as were, had or wore; ask for example {SHAPE}"
        if noun[-1].word in v.HEADS and not any(map(v.is_person, noun)):
            return f"{whole!r} is nobody; ask for example {SHAPE}"
    return ""


def shown(text: str) -> str:
    """Return a text as error messages quote it."""
    return repr(text if len(text) <= 100 else text[:97] + "...")


def others(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield the text spans that may describe someone else, such as "with a man"."""
    said = [token.word for token in tokens]
    for i, word in enumerate(said):
        if word == v.POSSESSIVE:  # "a woman's smile"; but "a woman's face" has no other owner
            owned = i + 1 < len(said) and v.ROLES.get(said[i + 1]) is not v.Role.PERSON
            start = max(i - 1, 0) if owned else i
        elif word == "of":  # "the smile of a woman"; but "a photo of a woman" shows her
            start = i - 1 if i and said[i - 1] not in _SHOWING | _WITH_OF else i
        elif word == "but":
            start = 0 if _excepts(said, i) else i
        else:
            someone = word in v.SEXED or (v.ROLES.get(word) is v.Role.PERSON and word not in _SHOWING)
            start = _owner(said, i) if someone else i
        if start < i:
            yield tokens[start].start, tokens[i].end


def _excepts(said: Sequence[str], i: int) -> bool:
    """Return whether "but" makes an exception, as in "anyone but a woman", and not a contrast."""
    following = said[i + 1 : i + 2]
    if not i or not following or following[0] in v.FINITE or v.ROLES.get(following[0]) in (v.Role.NOT, v.Role.LEAD):
        return False
    return not _UNIVERSAL.isdisjoint(said[:i]) or all(word in v.ROLES for word in said[:i])


def _owner(said: Sequence[str], noun: int) -> int:
    """Return the index of the word that makes a noun for a man or woman someone else, or `noun`."""
    for j in range(noun - 1, -1, -1):
        role = v.ROLES.get(said[j])
        if said[j] in v.HAVING or said[j] in v.POSSESSIVES or said[j] == v.POSSESSIVE:
            return j
        if role is v.Role.ARTICLE:
            if said[max(j - 2, 0) : j] == ["face", "of"]:  # "had the face of a woman"
                start = _owner(said, j - 2)
                return start if start < j - 2 else noun
            return j - 1 if j and said[j - 1] in v.HAVING else noun
        if role in _STOPS or (role is v.Role.AND and j == noun - 1):
            return noun
    return noun


def join_particles(tokens: Sequence[Token], words: Words) -> list[Token]:
    """Drop "on" and "off" that stand after a thing, and let "off" negate: "took her hat off" is without her hat."""
    found, said = list(tokens), [token.word for token in tokens]
    for i in range(len(tokens) - 1, 1, -1):
        verbs = v.PARTICLES.get(said[i], frozenset())
        if verbs and any(" ".join(said[k:i]) in words for k in range(max(i - v.LONGEST, 0), i)):
            j = next((j for j in range(i - 1, -1, -1) if said[j] in verbs or v.ROLES.get(said[j]) in _STOPS), i)
            if said[j] in verbs and j < i:
                found[j] = replace(tokens[j], word="without") if said[i] == "off" else tokens[j]
                found[i] = replace(tokens[i], word="")
    return [token for token in found if token.word]
