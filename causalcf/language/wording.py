"""Attribute values and the parts of a statement written in English that `read` can parse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .vocabulary import CELEBA_ATTRIBUTES

# Said with "were", in the order that adjectives take before a noun; with "wore"; and all others with "had".
_WERE = {name: name.lower() for name in ("Attractive", "Chubby", "Blurry", "Smiling", "Young", "Bald")}
_WORE = {
    "Eyeglasses": "glasses",
    "Heavy_Makeup": "heavy makeup",
    "Wearing_Earrings": "earrings",
    "Wearing_Hat": "a hat",
    "Wearing_Lipstick": "lipstick",
    "Wearing_Necklace": "a necklace",
    "Wearing_Necktie": "a tie",
}
_SINGULAR = ("Big_Nose", "Double_Chin", "Goatee", "Oval_Face", "Pointy_Nose", "Receding_Hairline")
_IRREGULAR = {
    "5_o_Clock_Shadow": "a five o'clock shadow",
    "Bags_Under_Eyes": "bags under the eyes",
    "Mouth_Slightly_Open": "an open mouth",
    "Mustache": "a moustache",
}
_NOUN = {1: "man", 0: "woman"}
# Where English has a word for 0, it serves instead of a negation.
_OPPOSITE = {"Young": "old", "No_Beard": "a beard", "Mouth_Slightly_Open": "a closed mouth"}


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


def _with_article(words: Sequence[str]) -> str:
    return f"{'an' if words[0][0] in 'aeiou' else 'a'} {' '.join(words)}"


_HAD = {
    name: _IRREGULAR.get(name) or (_with_article([_plain(name)]) if name in _SINGULAR else _plain(name))
    for name in CELEBA_ATTRIBUTES
    if name not in (*_WERE, *_WORE, "Male")
}


def describe(conditions: Mapping[str, int]) -> str:
    """Return conditions as a noun phrase: "an old bald man with glasses"."""
    adjectives, not_were = _sides(conditions, _WERE)
    having, lacking = _sides(conditions, _no_beard_last(_HAD | _WORE | _others(conditions)))
    noun = _NOUN[conditions["Male"]] if "Male" in conditions else "person" if adjectives else "someone"
    whole = noun if noun == "someone" else _with_article([*adjectives, noun])
    parts = [f"with {_list(having, 'and')}"] if having else []
    parts += [f"without {_list(lacking, 'or')}"] if lacking else []
    parts += [f"who is {_neither(not_were)}"] if not_were else []
    return f"{whole} {' and '.join(parts[:2])}{' and ' + parts[2] if len(parts) > 2 else ''}".strip()


def predicate(conditions: Mapping[str, int]) -> str:
    """Return conditions as a predicate in the subjunctive: "were young and had a moustache"."""
    were, not_were = _were(conditions)
    were += [_neither(not_were)] if not_were else []
    clauses = [f"were {' and '.join(were)}"] if were else []
    for past, infinitive, phrases in (("had", "have", _HAD | _others(conditions)), ("wore", "wear", _WORE)):
        having, lacking = _sides(conditions, _no_beard_last(phrases))
        clauses += [f"{past} {_list(having, 'and')}"] if having else []
        clauses += [f"did not {infinitive} {_list(lacking, 'or')}"] if lacking else []
    return _list(clauses, "and")


def pronoun(conditions: Mapping[str, int]) -> str:
    """Return the pronoun for the conditions: he, she, or they if Male is not given."""
    return {1: "he", 0: "she"}.get(conditions.get("Male", -1), "they")


def short(attribute: str, value: int) -> str:
    """Return one attribute's value in a word or two, for captions."""
    if attribute == "Male":
        return _NOUN[value]
    if not value and attribute in _OPPOSITE:
        return _bare(_OPPOSITE[attribute])
    phrase = _bare((_WERE | _HAD | _WORE).get(attribute, _plain(attribute)))
    return phrase if value else f"{'not' if attribute in _WERE else 'no'} {phrase}"


def _were(conditions: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Return what is said after "were", in one phrase if anything, and the adjectives that do not hold."""
    adjectives, not_were = _sides(conditions, _WERE)
    if "Male" in conditions:
        return [_with_article([*adjectives, _NOUN[conditions["Male"]]])], not_were
    return [_list(adjectives, "and")] if adjectives else [], not_were


def _sides(conditions: Mapping[str, int], phrases: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the phrases that hold and the phrases that do not."""
    holds: list[str] = []
    lacks: list[str] = []
    for attribute, phrase in phrases.items():
        value = conditions.get(attribute)
        if value == 0 and attribute in _OPPOSITE:
            holds.append(_OPPOSITE[attribute])
        elif value is not None:
            (holds if value else lacks).append(phrase)
    return holds, lacks


def _no_beard_last(phrases: Mapping[str, str]) -> dict[str, str]:
    """Move "no beard" to the end, because "no beard and glasses" is ambiguous."""
    return dict(sorted(phrases.items(), key=lambda item: item[0] == "No_Beard"))


def _others(conditions: Mapping[str, int]) -> dict[str, str]:
    """Return the phrases of attributes outside CelebA, made from their names."""
    return {name: _plain(name) for name in conditions if name not in CELEBA_ATTRIBUTES}


def _list(items: Sequence[str], joint: str) -> str:
    return f" {joint} ".join(part for part in (", ".join(items[:-1]), items[-1]) if part)


def _neither(items: Sequence[str]) -> str:
    return f"not {items[0]}" if len(items) == 1 else f"neither {' nor '.join(items)}"


def infinitive(conditions: Mapping[str, int]) -> str:
    """Return conditions as the words after "she might", true ones first, each negation separate."""
    were, not_were = _were(conditions)
    holds, lacks = [f"be {words}" for words in were], []
    for verb, phrases in (("have", _HAD | _others(conditions)), ("wear", _WORE)):
        having, lacking = _sides(conditions, phrases)
        if "no beard" in having:  # a negation too
            having.remove("no beard")
            lacking.append("beard")
        holds += [f"{verb} {_list(having, 'and')}"] if having else []
        lacks += [f"{verb} no {_list([_bare(phrase) for phrase in lacking], 'or')}"] if lacking else []
    lacks += [f"be {_neither(not_were)}"] if not_were else []
    return _list([*holds, *lacks], "and")


def this_one(conditions: Mapping[str, int]) -> str:
    """Return conditions as the subject of a sentence: "this young man (who is not bald)"."""
    _, lacking = _sides(conditions, _WERE)
    clause = {name: 0 for name, phrase in _WERE.items() if phrase in lacking}
    noun = describe({name: value for name, value in conditions.items() if name not in clause})
    article, _, rest = noun.partition(" ")
    subject = f"this {rest}" if article in ("a", "an") else noun
    return f"{subject} (who is {_neither(lacking)})" if lacking else subject


def _bare(phrase: str) -> str:
    return phrase.removeprefix("a ").removeprefix("an ")
