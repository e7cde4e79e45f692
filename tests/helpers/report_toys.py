"""Outcomes as an evaluation makes them, small and large, and pictures for them."""

import io

import numpy as np

FACES = ("Male", "Young", "Bald", "Mustache", "Smiling", "Narrow_Eyes", "Eyeglasses", "Wearing_Lipstick", "Mouth_Open")
HOSTILE = "<img src=x onerror=alert(1)>|`[a](http://evil.example)`\x1b[31m\u202e[bold]$x^2$_"


def png(width=64, height=32):
    """The bytes of a grey picture."""
    from PIL import Image

    written = io.BytesIO()
    Image.new("RGB", (width, height), (120, 130, 140)).save(written, "PNG")
    return written.getvalue()


def estimate(value, half=0.011):
    return {"value": value, "low": max(0.0, value - half), "high": min(1.0, value + half)}


def approach(name, mode="do", run="2026-11-24-faces-causalgan"):
    description = "label model, do, same noise"
    return {
        "name": name,
        "run": run,
        "approach": name.split("-")[0],
        "statements": None,
        "mode": mode,
        "stickiness": 1.0,
        "images": 90112,
        "told": description,
    }


def link(cause, effect, asked_of, found, reference, verdict, **changed):
    """One answer; its figures differ from one another, so that a mix-up shows."""
    interval = [found - 0.0131, found + 0.0142]
    error = abs(found - reference)
    corrected = {"effect_estimate": found * 1.1, "interval": [1.1 * x for x in interval], "verdict": verdict}
    description = {
        "cause": cause,
        "effect": effect,
        "approach": asked_of["name"],
        "mode": asked_of["mode"],
        "stickiness": 1.0,
        "given": {},
        "held": {},
        "n": 1068,
        "units": {"asked": 1070, "unreached": 2, "impossible": 0, "told": "2 did not show the antecedent"},
        "p_factual": estimate(0.083),
        "p_counterfactual": estimate(0.083 + found if found > -0.08 else 0.01),
        "p_reference": 0.0421,
        "effect_estimate": found,
        "interval": interval,
        "interval_method": "BCa bootstrap",
        "half_width": 0.0137,
        "reference": reference,
        "link_error": error,
        "link_error_interval": [max(0, error - 0.012), error + 0.013],
        "leak": 0.0071,
        "leak_interval": [-0.0032, 0.0173],
        "p_value": 0.00123,
        "p_holm": 0.0246,
        "corrected": corrected,
        "verdict": verdict,
        "why": "",
        "relation": "edge",
        "sentence": f"Of 1,068 faces, {cause} changes {effect} by {100 * found:+.1f} points.",
        "picture": None,
    }
    return {**description, **changed}


def without_units(answer, why="12 units of 1068 asked; a verdict takes 100"):
    """An answer that could not be had: as an evaluation writes it, nulls throughout."""
    nulls = ("p_factual", "p_counterfactual", "p_reference", "effect_estimate", "interval", "interval_method")
    nulls += ("half_width", "reference", "link_error", "link_error_interval", "leak", "leak_interval")
    nulls += ("p_value", "p_holm", "corrected", "sentence", "picture")
    return {**answer, **dict.fromkeys(nulls), "n": 12, "verdict": "none", "why": why}


def _head(title, nodes, approaches):
    scores = ("accuracy", "balanced_accuracy", "auroc", "calibration_error", "sensitivity", "specificity")
    rows = {
        node: {
            **{s: estimate(0.99 - 0.013 * i - 0.001 * j, 0.004) for j, s in enumerate(scores)},
            "withheld": node == "Narrow_Eyes",
        }
        for i, node in enumerate(nodes)
    }
    return {
        "schema": 1,
        "title": title,
        "command": f"python -m causalcf.eval --link '{title}'",
        "data": {"name": "faces", "n": 20000, "reference": "truth", "told": "On faces the reference is the truth."},
        "nodes": list(nodes),
        "caveats": [],
        "settings": {
            "half_width": 0.03,
            "n": 1068,
            "seed": 0,
            "margin": 0.05,
            "level": 0.95,
            "resamples": 2000,
            "told": "1,068 units: a rate of one half is then known to ± 0.030.",
        },
        "judge": {
            "name": "judge-faces-residual",
            "network": "residual, width 24",
            "n": 4000,
            "told": "4,000 rendered faces.",
            "independent": True,
            "warnings": [],
            "attributes": rows,
        },
        "graph_fit": {},
        "approaches": list(approaches),
        "queries": [],
        "statements": [],
        "axioms": {},
        "realism": {},
        "provenance": {
            "causalcf": "0.1.0",
            "commit": "0123abc",
            "python": "3.11.2",
            "torch": "2.14.1",
            "numpy": "2.4.6",
            "device": "cpu",
            "threads": 2,
            "seed": 0,
            "data_fingerprint": "9f8e",
            "started": "2026-11-24T10:00:00",
            "seconds": 93.1,
            "runs": {"2026-11-24-faces-causalgan": "seed 0, step 704"},
            "judge": "judge-faces-residual",
            "fingerprints": {
                "judge": "0011223344556677",
                "runs": {"2026-11-24-faces-causalgan": "8899aabbccddeeff"},
                "classifiers": {"2026-11-23-faces-dcgan": "7766554433221100"},
            },
        },
    }


def small(nodes=("Young", "Bald", "Male")):
    """2 links x 2 approaches; the first answer has a picture, faces.png, the last has no units."""
    a, b = approach("causalgan-do"), approach("dcgan-gaussian", "observe", "2026-11-23-faces-dcgan")
    young, bald, male = nodes
    links = [
        link(young, bald, a, -0.0412, -0.0523, "respected", picture="faces.png"),
        link(young, bald, b, -0.0061, -0.0617, "absent", leak=None, leak_interval=None, p_reference=0.0387),
        link(bald, male, a, 0.0934, 0.0, "leaks", relation="none"),
        without_units(link(bald, male, b, 0.2, 0.1, "exaggerated")),
    ]
    return {**_head(f"{young}->{bald}", nodes, [a, b]), "links": links}


def suite(seed=0, names=("causalgan-do", "causalgan-esm", "dcgan-gaussian"), nodes=FACES, picture=None):
    """All ordered pairs, with everything else that a suite measures."""
    draw = np.random.default_rng(seed)
    approaches = [approach(name, "do" if name.endswith("do") else "observe") for name in names]
    truth = {(a, b): float(draw.choice([0, 0, 0, 0.06, -0.21, 0.34, -0.55])) for a in nodes for b in nodes if a != b}
    outcome = {**_head("faces", nodes, approaches), "links": []}
    for place, one in enumerate(approaches):
        for (cause, effect), r in truth.items():
            answer = _drawn(draw, cause, effect, one, r, 1 - 0.4 * place)
            outcome["links"].append({**answer, "picture": picture if (cause, effect) == ("Young", "Bald") else None})
    outcome["graph_fit"] = {
        "graph": "celeba",
        "n": 20000,
        "tvd": 0.1523,
        "tvd_by_chance": 0.0112,
        "kl": 0.0871,
        "kl_by_chance": 0.0009,
        "violated": [_violated("Young", "Male", [], 0.0721), _violated("Bald", "Smiling", ["Male"], 0.0013)],
        "missing_edges": [{"edge": "Young->Male", "gain": 0.0719, "tvd_after": 0.0812, "bic": 2811.4}],
    }
    outcome["axioms"] = {name: _axioms(draw, nodes) for name in names}
    outcome["realism"] = {
        "causalgan": {"run": "r", "FD(judge)": 12.34, "KID(judge)": estimate(0.0123, 0.001), "n": 4000},
        "dcgan": {"run": "s", "FD(judge)": 15.67, "KID(judge)": None, "n": 4000, "FD(judge) of held-out data": 0.512},
    }
    seen = [{"label": "Mustache", "before": estimate(0.02), "after": estimate(0.31), "expected": 0.2876}]
    asked = {"name": "woman-moustache", "question": "Given a woman, what if she had a moustache?"}
    outcome["queries"] = [
        {**asked, "approach": names[0], "seen": seen, "antecedent": estimate(0.97), "picture": picture, "error": None},
        {**asked, "approach": names[1], "seen": [], "antecedent": None, "picture": None, "error": "nobody was reached"},
    ]
    return outcome


def statement(name, asked_of, q, verdict, sentence="If this young man were old, he might be bald."):
    """One answer about a statement; its figures differ from one another."""
    parts = {
        "given": {"Male": 1},
        "antecedent": {"Young": 0},
        "modal": "might",
        "consequent": {"Bald": 1},
        "mode": "do",
    }
    truth = {"value": True, "probability": 0.0951, "threshold": 0.05, "vacuous": False, "reason": "0.0951 is so"}
    nobody = q is None
    return {
        "name": name,
        "sentence": sentence,
        "statement": parts,
        "asks": "a probability above 0.05",
        "approach": asked_of["name"],
        "mode": asked_of["mode"],
        "stickiness": 1.0,
        "truth": truth,
        "model": {**truth, "probability": 0.0742},
        "n": 0 if nobody else 385,
        "units": {
            "asked": 385,
            "unreached": 385 if nobody else 0,
            "impossible": 0,
            "told": "385 were not reached" if nobody else "",
        },
        "seen_before": None if nobody else estimate(0.012),
        "q_images": None if nobody else estimate(q),
        "q_expected": None if nobody else 0.0863,
        "expected": None if nobody else True,
        "verdict": verdict,
        "why": "385 were not reached" if nobody else "",
    }


def with_statements(outcome, names=("old-man",), **description):
    """The same with an answer of each approach about each statement, the last approach's without units."""
    first, *_, last = outcome["approaches"]
    answers = [statement(name, first, 0.123, "true", **description) for name in names]
    return {
        **outcome,
        "statements": answers + [statement(name, last, None, "no verdict", **description) for name in names],
    }


def _drawn(draw, cause, effect, one, reference, strength):
    found = float(reference * strength + draw.normal(0, 0.015))
    description = {"relation": "edge" if reference else "none"}
    if effect == "Mouth_Open" and cause == "Mustache":
        return without_units(link(cause, effect, one, found, reference, "none"))
    if effect == "Narrow_Eyes":
        description["why"] = "the judge's balanced accuracy on Narrow_Eyes is 0.700; a verdict takes 0.75"
        return link(cause, effect, one, found, reference, "withheld", **description)
    if abs(found - reference) <= 0.05:
        return link(cause, effect, one, found, reference, "respected", **description)
    return link(cause, effect, one, found, reference, "absent" if abs(found) < 0.014 else "weak", **description)


def _violated(x, y, given, information):
    description = {
        "mutual_information": information,
        "difference": 0.31,
        "p_value": 4e-5 if given else 0.0,
        "p_holm": 8e-5 if given else 0.0,
    }
    return {"x": x, "y": y, "given": given, **description}


def pooled(value, units=385, measured=1, answered=385, asked=385):
    """A figure of the axioms, measured so often on each unit's answer."""
    ends = estimate(value) if value is not None else dict.fromkeys(("value", "low", "high"))
    description = {"n": measured * answered, "units": units, "answered": answered, "asked": asked}
    return {**ends, "interval_method": "BCa bootstrap" if value is not None else None, **description}


def _axioms(draw, nodes):
    rates, d = iter(draw.uniform(0.5, 0.98, 100).tolist()), len(nodes)
    flips = {"answered": 385 * d - 12, "asked": 385 * d}
    return {
        "composition": {"pixels": {**pooled(0.0), "low": 0.0, "high": 0.0}},
        "effectiveness": {
            "all": pooled(next(rates), measured=d, **flips),
            "flipped": pooled(next(rates), answered=385 * d, asked=385 * d),
            "seen": pooled(next(rates), measured=d, answered=385 * d - 12, asked=None),
            "unseen": None,
            "labels": {node: pooled(next(rates), **flips) for node in nodes},
        },
        "reversibility": {
            "pixels": pooled(next(rates), answered=199, asked=207),
            "labels": pooled(next(rates), answered=199, asked=207),
        },
        "minimality": {"non_descendants": None, "pixels": pooled(None, **flips)},
        "diversity": {"value": 0.217, "low": 0.2, "high": 0.23, "n": 50, "units": 50, "answered": 50, "asked": 50},
    }
