"""Conditions as what somebody "might be": the half of a statement after its modal, and whom it is about."""

from __future__ import annotations

from collections.abc import Mapping

from .wording import _HAD, _NOUN, _WERE, _WORE, _list, _neither, _others, _sides, _were, _with_article, describe


def infinitive(conditions: Mapping[str, int]) -> str:
    """Conditions as what follows "she might".

    What holds comes first, then what does not, each with a negation of its own: after "she would not" neither can be
    mistaken for the other.

    Example:
        >>> infinitive({"Young": 0, "Bald": 0, "Mustache": 1, "Eyeglasses": 0, "Wearing_Hat": 0})
        'be old, have a moustache, wear no glasses or hat and be not bald'
    """
    adjectives, not_were = _were(conditions)
    were = [_list(adjectives, "and")] if adjectives else []
    if "Male" in conditions:
        were = [_with_article([*adjectives, _NOUN[conditions["Male"]].split()[1]])]
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
    """Whom a statement is about, as the subject of a sentence; what only a clause can say stands in brackets.

    Example:
        >>> this_one({"Male": 1, "Young": 1, "Bald": 0}), this_one({})
        ('this young man (who is not bald)', 'someone')
    """
    _, lacking = _sides(conditions, _WERE)
    clause = {name: 0 for name, phrase in _WERE.items() if phrase in lacking}
    noun = describe({name: value for name, value in conditions.items() if name not in clause})
    article, _, rest = noun.partition(" ")
    subject = f"this {rest}" if article in ("a", "an") else noun
    return f"{subject} (who is {_neither(lacking)})" if lacking else subject


def _bare(phrase: str) -> str:
    return phrase.removeprefix("a ").removeprefix("an ")
