"""Wrong arguments of the public functions of graphs, labels and language: a word of each refusal, and the call."""

import torch

import causalcf as cf

GRAPH = cf.CausalGraph({"Young": [], "Bald": ["Young"]})
SCM = cf.LabelSCM.from_probabilities(GRAPH, {"Young": 0.75, "Bald": [0.1, 0.02]})
MODEL = cf.esm.DiscreteSCM({"A": 0.5}, {"B": lambda v: v["A"]})
QUERY = cf.Query({}, {"Young": 0})
STATEMENT = cf.Statement({}, {"Young": 0}, "might", {"Bald": 1})
MANY = 10**12  # more than any machine could hold
TABLE = {"Young": [1, 0], "Bald": [0, 1]}

# Public name -> what it must refuse: a word of the sentence, usually the argument's name, and the call.
REFUSED = {
    "CausalGraph": [
        ("graph", lambda: cf.CausalGraph(3)),
        ("graph", lambda: cf.CausalGraph({})),
        ("name", lambda: cf.CausalGraph({"A": []}, name="")),
        ("node", lambda: cf.CausalGraph({1: []})),
        ("parents", lambda: cf.CausalGraph({"A": "B", "B": []})),
        ("description", lambda: cf.CausalGraph({"A": []}, description=3)),
    ],
    "CausalGraph.ancestors": [("node", lambda: GRAPH.ancestors("Yuong"))],
    "CausalGraph.children": [("node", lambda: GRAPH.children(3)), ("node", lambda: GRAPH.children(["Young"]))],
    "CausalGraph.descendants": [("node", lambda: GRAPH.descendants("")), ("node", lambda: GRAPH.descendants(None))],
    "CausalGraph.with_nodes": [
        ("Smiling", lambda: GRAPH.with_nodes(["Smiling"])),
        ("names", lambda: GRAPH.with_nodes("Young")),
        ("names", lambda: GRAPH.with_nodes([])),
    ],
    "CausalGraph.parents": [("node", lambda: GRAPH.parents("Smiling"))],
    "LabelSCM": [
        ("mechanisms", lambda: cf.LabelSCM(GRAPH, {})),
        ("mechanisms", lambda: cf.LabelSCM(GRAPH, {"Young": 0.5, "Bald": 0.5})),
        ("mechanisms", lambda: cf.LabelSCM(GRAPH, None)),
        ("graph", lambda: cf.LabelSCM("celeba", {})),
    ],
    "LabelSCM.abduct": [
        ("labels", lambda: SCM.abduct(torch.zeros(2, 3))),
        ("labels", lambda: SCM.abduct("labels")),
        ("labels", lambda: SCM.abduct(torch.full((1, 2), 2))),
        ("generator", lambda: SCM.abduct(torch.zeros(2, 2), generator=0)),
    ],
    "LabelSCM.counterfactual": [
        ("labels", lambda: SCM.counterfactual(torch.zeros(2, 3))),
        ("facts", lambda: SCM.counterfactual({"Smiling": 1})),
        ("do", lambda: SCM.counterfactual(torch.zeros(2, 2), do={"Smiling": 1})),
        ("observe", lambda: SCM.counterfactual(torch.zeros(2, 2), observe={"Bald": 2})),
        ("stickiness", lambda: SCM.counterfactual(torch.zeros(2, 2), stickiness=1.5)),
        ("stickiness", lambda: SCM.counterfactual(torch.zeros(2, 2), stickiness="half")),
        ("draws", lambda: SCM.counterfactual(torch.zeros(2, 2), draws=0)),
        ("draws", lambda: SCM.counterfactual(torch.zeros(2, 2), draws=1.5)),
        ("draws", lambda: SCM.counterfactual(torch.zeros(2, 2), draws=MANY)),
        ("generator", lambda: SCM.counterfactual(torch.zeros(2, 2), generator=3)),
    ],
    "LabelSCM.counterfactual_probabilities": [
        ("event", lambda: SCM.counterfactual_probabilities({"Smiling": 1}, {})),
        ("event", lambda: SCM.counterfactual_probabilities(3, {})),
        ("labels", lambda: SCM.counterfactual_probabilities({"Bald": 1}, 3)),
    ],
    "LabelSCM.counterfactual_probability": [
        ("event", lambda: SCM.counterfactual_probability({"Bald": "yes"}, {})),
        ("facts", lambda: SCM.counterfactual_probability({"Bald": 1}, {"Yuong": 1})),
        ("stickiness", lambda: SCM.counterfactual_probability({"Bald": 1}, {}, stickiness=float("nan"))),
        ("stickiness", lambda: SCM.counterfactual_probability({"Bald": 1}, {}, stickiness=None)),
    ],
    "LabelSCM.from_probabilities": [
        ("Bald", lambda: cf.LabelSCM.from_probabilities(GRAPH, {"Young": 0.5, "Bald": 0.5})),
        ("Young", lambda: cf.LabelSCM.from_probabilities(GRAPH, {"Young": 2, "Bald": [0, 1]})),
        ("Young", lambda: cf.LabelSCM.from_probabilities(GRAPH, {"Young": "half", "Bald": [0, 1]})),
        ("probabilities", lambda: cf.LabelSCM.from_probabilities(GRAPH, 0.5)),
        ("graph", lambda: cf.LabelSCM.from_probabilities("celeba", {})),
    ],
    "LabelSCM.from_state": [
        ("state", lambda: cf.LabelSCM.from_state({})),
        ("state", lambda: cf.LabelSCM.from_state(3)),
    ],
    "LabelSCM.joint": [("do", lambda: SCM.joint(do={"Smiling": 1})), ("do", lambda: SCM.joint(do="Young"))],
    "LabelSCM.log_probability": [
        ("labels", lambda: SCM.log_probability(torch.zeros(2))),
        ("labels", lambda: SCM.log_probability(None)),
    ],
    "LabelSCM.probability": [
        ("event", lambda: SCM.probability({"Smiling": 1})),
        ("event", lambda: SCM.probability("Bald")),
        ("given", lambda: SCM.probability({"Bald": 1}, given={"Young": 0.5})),
        ("do", lambda: SCM.probability({"Bald": 1}, do=[("Young", 1)])),
    ],
    "LabelSCM.respond": [
        ("noise", lambda: SCM.respond(torch.zeros(2, 3))),
        ("noise", lambda: SCM.respond(3)),
        ("noise", lambda: SCM.respond(torch.ones(1, 2, dtype=torch.float64))),
        ("do", lambda: SCM.respond(torch.zeros(2, 2, dtype=torch.float64), do={"Smiling": 1})),
    ],
    "Soft": [("shift", lambda: cf.Soft(2)), ("shift", lambda: cf.Soft("much"))],
    "Stochastic": [("probability", lambda: cf.Stochastic(-0.1))],
    "Conditional": [("rule", lambda: cf.Conditional(0.5))],
    "LabelSCM.variables": [
        ("Yong", lambda: SCM.variables(do={"Yong": 1})),
        ("do", lambda: SCM.variables(do={"Young": 2})),
        ("stickiness", lambda: SCM.variables(twin=True, stickiness="much")),
    ],
    "LabelSCM.to_bif": [("path", lambda: SCM.to_bif(3)), ("stickiness", lambda: SCM.to_bif("x.bif", True, -1))],
    "LabelSCM.from_bif": [
        ("path", lambda: cf.LabelSCM.from_bif(3)),
        ("nowhere", lambda: cf.LabelSCM.from_bif("nowhere")),
    ],
    "LabelSCM.from_pgmpy": [("pgmpy", lambda: cf.LabelSCM.from_pgmpy("model"))],
    "LabelSCM.sample": [
        ("n", lambda: SCM.sample(-1)),
        ("n", lambda: SCM.sample("many")),
        ("n", lambda: SCM.sample(1.5)),
        ("n", lambda: SCM.sample(MANY)),
        ("do", lambda: SCM.sample(1, do={"Smiling": 1})),
        ("given", lambda: SCM.sample(1, given={"Bald": 7})),
        ("generator", lambda: SCM.sample(1, generator=7)),
    ],
    "LabelSCM.sample_noise": [
        ("n", lambda: SCM.sample_noise(-1)),
        ("n", lambda: SCM.sample_noise(MANY)),
        ("generator", lambda: SCM.sample_noise(1, 3)),
    ],
    "Query": [
        ("given", lambda: cf.Query("Male", {"Young": 0})),
        ("antecedent", lambda: cf.Query({}, {"Young": 2})),
        ("antecedent", lambda: cf.Query({}, 3)),
        ("mode", lambda: cf.Query({}, {"Young": 0}, "guess")),
        ("mode", lambda: cf.Query({}, {"Young": 0}, ["do"])),
    ],
    "Query.as_mode": [("mode", lambda: QUERY.as_mode("see"))],
    "Query.check": [("Young", lambda: QUERY.check(["Bald"]))],
    "Query.parse": [
        ("question", lambda: cf.Query.parse(3)),
        ("empty", lambda: cf.Query.parse("")),
        ("purple", lambda: cf.Query.parse("What if this woman were purple?")),
        ("attributes", lambda: cf.Query.parse("What if this woman were bald?", 3)),
        ("attributes", lambda: cf.Query.parse("What if this woman were bald?", [3])),
    ],
    "Statement": [
        ("given", lambda: cf.Statement(3, {"Young": 0}, "might", {"Bald": 1})),
        ("antecedent", lambda: cf.Statement({}, {"Young": 5}, "might", {"Bald": 1})),
        ("modal", lambda: cf.Statement({}, {"Young": 0}, "may", {"Bald": 1})),
        ("modal", lambda: cf.Statement({}, {"Young": 0}, ["might"], {"Bald": 1})),
        ("consequent", lambda: cf.Statement({}, {"Young": 0}, "might", {})),
        ("consequent", lambda: cf.Statement({}, {"Young": 0}, "might", 3)),
        ("mode", lambda: cf.Statement({}, {"Young": 0}, "might", {"Bald": 1}, "see")),
    ],
    "Statement.about_change": [
        ("Bald", lambda: cf.Statement({}, {"Young": 0}, "might", {"Bald": 1, "Male": 1}).about_change()),
    ],
    "Statement.check": [("Young", lambda: STATEMENT.check(["Bald"]))],
    "Statement.parse": [
        ("not 3", lambda: cf.Statement.parse(3)),
        ("modal", lambda: cf.Statement.parse("If this man were old, he is bald.")),
        ("attributes", lambda: cf.Statement.parse("If this man were old, he might be bald.", 3)),
    ],
    "Statement.truth": [
        ("stickiness", lambda: STATEMENT.truth(SCM, stickiness=2)),
        ("eps", lambda: STATEMENT.truth(SCM, eps=0.7)),
        ("eps", lambda: STATEMENT.truth(SCM, eps="small")),
        ("scm", lambda: STATEMENT.truth(GRAPH)),
    ],
    "esm.DiscreteSCM": [
        ("exogenous", lambda: cf.esm.DiscreteSCM(3, {})),
        ("exogenous", lambda: cf.esm.DiscreteSCM({"A": 2}, {})),
        ("equation", lambda: cf.esm.DiscreteSCM({"A": 0.5}, {"B": 3})),
    ],
    "esm.DiscreteSCM.counterfactual_probability": [
        ("event", lambda: MODEL.counterfactual_probability({"C": 1}, {})),
        ("facts", lambda: MODEL.counterfactual_probability({"B": 1}, 3)),
        ("do", lambda: MODEL.counterfactual_probability({"B": 1}, {}, do={"B": [1]})),
        ("observe", lambda: MODEL.counterfactual_probability({"B": 1}, {}, observe="A")),
        ("stickiness", lambda: MODEL.counterfactual_probability({"B": 1}, {}, stickiness=3)),
        ("conditioning", lambda: MODEL.counterfactual_probability({"B": 1}, {}, conditioning="both")),
    ],
    "esm.DiscreteSCM.probability": [
        ("event", lambda: MODEL.probability({"C": 1})),
        ("given", lambda: MODEL.probability({"B": 1}, given=3)),
        ("do", lambda: MODEL.probability({"B": 1}, do={"B": None})),
    ],
    "fit_label_scm": [
        ("graph", lambda: cf.fit_label_scm("celeba", TABLE)),
        ("table", lambda: cf.fit_label_scm(GRAPH, 3)),
        ("table", lambda: cf.fit_label_scm(GRAPH, {"Young": [1]})),
        ("Young", lambda: cf.fit_label_scm(GRAPH, {**TABLE, "Young": [2, 1]})),
        ("Bald", lambda: cf.fit_label_scm(GRAPH, {**TABLE, "Bald": [1]})),
        ("method", lambda: cf.fit_label_scm(GRAPH, TABLE, method="magic")),
        ("method", lambda: cf.fit_label_scm(GRAPH, TABLE, method=3)),
        ("smoothing", lambda: cf.fit_label_scm(GRAPH, TABLE, smoothing=-1)),
        ("smoothing", lambda: cf.fit_label_scm(GRAPH, TABLE, smoothing="some")),
        ("generator", lambda: cf.fit_label_scm(GRAPH, TABLE, method="adversarial", generator=0)),
    ],
    "load_graph": [
        ("graph", lambda: cf.load_graph(3)),
        ("celeba", lambda: cf.load_graph("celebra")),
        ("path", lambda: cf.load_graph("a\0b")),
    ],
    "load_queries": [
        ("nowhere", lambda: cf.load_queries("nowhere")),
        ("path", lambda: cf.load_queries(3)),
        ("attributes", lambda: cf.load_queries("queries", 3)),
    ],
    "load_statements": [("nowhere", lambda: cf.load_statements("nowhere")), ("path", lambda: cf.load_statements(None))],
    "save_graph": [
        ("graph", lambda: cf.save_graph("celeba", "mine.yaml")),
        ("nowhere", lambda: cf.save_graph(GRAPH, "nowhere/at/all.yaml")),
        ("path", lambda: cf.save_graph(GRAPH, 3)),
    ],
}
