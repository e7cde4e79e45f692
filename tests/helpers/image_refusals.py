"""Wrong arguments of the public functions of noise, images and runs: a word of each refusal, and the call."""

from pathlib import Path

import numpy as np
import torch

import causalcf as cf
from causalcf.classifiers.classifier import Calibration
from causalcf.networks.dcgan import Generator, Labeler
from causalcf.networks.readers import build_network

from .label_refusals import GRAPH, MANY, QUERY, SCM

READER = cf.AttributeClassifier(
    GRAPH.nodes,
    build_network("residual", 2, 8).eval().requires_grad_(False),
    (0, 1),
    Calibration(torch.ones(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)),
    (0.5, 0.5),
    False,
    ("residual", 8),
)
FAKE = torch.device("cpu")
RUN = cf.Run(
    Path("toy"), cf.Recipe(noise_dim=5), GRAPH, SCM, 1, Generator(5, 2, 8).eval(), Labeler(2, 2), None, FAKE, "float32"
)
WORLDS = cf.Worlds(torch.zeros(2, 5), torch.zeros(2, 2, dtype=torch.int8), torch.zeros(2, 3, 64, 64))
NAN = float("nan")
Z, IMAGES = torch.zeros(3), torch.zeros(1, 3, 64, 64)
SEARCH = {"attributes": ["Bald"], "condition": {"Bald": 1}, "n": 1}


def shade(z):
    return torch.zeros(len(z), 3, 2, 2)


def read(images):
    return torch.ones(len(images), 1)


def where(**changed):
    return cf.sample_where(**{"generate": shade, "classify": read, "noise_dim": 2, **SEARCH, **changed})


def noise(**changed):
    return cf.counterfactual_noise(**{"z": Z, "generate": shade, "classify": read, **SEARCH, **changed})


def world(method, **changed):
    return getattr(RUN, method)(
        **({"worlds": WORLDS, "do": {"Young": 0}} if method == "counterfactual" else {}), **changed
    )


def recipe(**changed):
    return cf.Recipe(**changed).validate()


REFUSED = {
    "AttributeClassifier": [
        ("images", lambda: READER(torch.zeros(3, 64, 64))),
        ("images", lambda: READER(torch.zeros(1, 3, 32, 32))),
        ("images", lambda: READER(torch.zeros(1, 3, 64, 64, dtype=torch.uint8))),
        ("images", lambda: READER(IMAGES - 1)),
        ("images", lambda: READER("a.png")),
        ("images", lambda: READER(np.zeros((1, 3, 64, 64)))),
    ],
    "AttributeClassifier.labels": [("images", lambda: READER.labels(IMAGES * float("nan")))],
    "AttributeClassifier.logits": [("images", lambda: READER.logits(None))],
    "AttributeClassifier.select": [
        ("Smiling", lambda: READER.select(["Smiling"])),
        ("names", lambda: READER.select("Young")),
        ("names", lambda: READER.select(3)),
    ],
    "Recipe": [
        ("width", lambda: recipe(width="wide")),
        ("width", lambda: recipe(width=True)),
        ("batch", lambda: recipe(batch=1)),
        ("data", lambda: recipe(data="face")),
        ("learning_rate", lambda: recipe(learning_rate=10**400)),
        ("balance", lambda: recipe(balance=float("nan"))),
        ("label_noise", lambda: recipe(label_noise=-0.1)),
        ("augment", lambda: recipe(augment="yes")),
        ("even_kernels", lambda: recipe(even_kernels="yes")),
        ("init_from", lambda: recipe(init_from=3)),
        ("data_root", lambda: recipe(data="folder")),
    ],
    "Recipe.validate": [("name", lambda: cf.Recipe(name="a/b").validate())],
    "Run": [("noise", lambda: world("generate", noise=torch.zeros(2, 4), labels=torch.zeros(2, 2)))],
    "Run.abduct": [
        ("images", lambda: RUN.abduct(IMAGES + 2)),
        ("images", lambda: RUN.abduct(IMAGES[:0])),
        ("method", lambda: RUN.abduct(IMAGES, method="guess")),
        ("method", lambda: RUN.abduct(IMAGES)),
        ("labels", lambda: RUN.abduct(IMAGES, {"Young": 2}, "optimise")),
        ("labels", lambda: RUN.abduct(IMAGES, torch.zeros(2, 2), "optimise")),
        ("generator", lambda: RUN.abduct(IMAGES, {}, "optimise", 3)),
    ],
    "Run.classify": [
        ("images", lambda: world("classify", images=torch.zeros(2, 3, 32, 32))),
        ("images", lambda: world("classify", images=IMAGES * 255 + 1.5)),
        ("images", lambda: world("classify", images=None)),
    ],
    "Run.counterfactual": [
        ("do", lambda: RUN.counterfactual(WORLDS, do={"Smiling": 1})),
        ("observe", lambda: RUN.counterfactual(WORLDS, observe={"Bald": "no"})),
        ("stickiness", lambda: world("counterfactual", stickiness=2)),
        ("stickiness", lambda: world("counterfactual", noise_stickiness="half")),
        ("draws", lambda: world("counterfactual", draws=0)),
        ("draws", lambda: world("counterfactual", draws=MANY)),
        ("generator", lambda: world("counterfactual", generator=0)),
        ("worlds", lambda: RUN.counterfactual(torch.zeros(2, 5), do={"Young": 0})),
    ],
    "Run.generate": [
        ("noise", lambda: world("generate", noise=torch.zeros(5), labels=torch.zeros(1, 2))),
        ("noise", lambda: world("generate", noise="z", labels=torch.zeros(1, 2))),
        ("noise", lambda: world("generate", noise=torch.zeros(1, 5, dtype=torch.int64), labels=torch.zeros(1, 2))),
        ("labels", lambda: world("generate", noise=torch.zeros(2, 5), labels=torch.zeros(2, 3))),
        ("labels", lambda: world("generate", noise=torch.zeros(2, 5), labels=torch.zeros(1, 2))),
        ("labels", lambda: world("generate", noise=torch.zeros(2, 5))),
        ("noise", lambda: world("generate", noise=torch.full((2, 5), NAN), labels=torch.zeros(2, 2))),
        ("labels", lambda: world("generate", noise=torch.zeros(2, 5), labels=torch.full((2, 2), NAN))),
        ("labels", lambda: world("generate", noise=torch.zeros(2, 5), labels=torch.full((2, 2), 7))),
        ("labels", lambda: world("generate", noise=torch.zeros(2, 5), labels=torch.full((2, 2), -0.1))),
    ],
    "Run.judge": [("images", lambda: world("judge", images=torch.zeros(3, 64, 64)))],
    "Run.read_labels": [
        ("images", lambda: RUN.read_labels(None)),
        ("Smiling", lambda: RUN.read_labels(IMAGES, {"Smiling": 1})),
        ("generator", lambda: RUN.read_labels(IMAGES, generator=3)),
    ],
    "Run.sample": [
        ("n", lambda: world("sample", n=0)),
        ("n", lambda: world("sample", n="ten")),
        ("n", lambda: world("sample", n=MANY)),
        ("do", lambda: world("sample", n=1, do={"Smiling": 1})),
        ("given", lambda: world("sample", n=1, given="Bald")),
        ("generator", lambda: world("sample", n=1, generator=0)),
    ],
    "Run.sample_noise": [
        ("n", lambda: world("sample_noise", n=-1)),
        ("n", lambda: world("sample_noise", n=MANY)),
        ("generator", lambda: world("sample_noise", n=1, generator=0)),
    ],
    "answer": [
        ("Smiling", lambda: cf.answer(RUN, cf.Query({}, {"Smiling": 1}))),
        ("faces", lambda: cf.answer(RUN, QUERY, faces=0)),
        ("faces", lambda: cf.answer(RUN, QUERY, faces="ten")),
        ("faces", lambda: cf.answer(RUN, QUERY, faces=MANY)),
        ("draws", lambda: cf.answer(RUN, QUERY, draws=0.5)),
        ("draws", lambda: cf.answer(RUN, QUERY, draws=MANY)),
        ("stickiness", lambda: cf.answer(RUN, QUERY, stickiness=-1)),
        ("noise_stickiness", lambda: cf.answer(RUN, QUERY, noise_stickiness="half")),
        ("generator", lambda: cf.answer(RUN, QUERY, generator=0)),
        ("query", lambda: cf.answer(RUN, "What if this woman were bald?")),
    ],
    "counterfactual_noise": [
        ("z", lambda: noise(z=torch.zeros(2, 3))),
        ("z", lambda: noise(z=[0.0])),
        ("z", lambda: noise(z=torch.zeros(2, dtype=torch.int64))),
        ("z", lambda: noise(z=torch.full((2,), float("inf")))),
        ("generate", lambda: noise(generate=lambda z: z)),
        ("classify", lambda: noise(classify=lambda images: images)),
        ("generate", lambda: noise(generate=3)),
        ("classify", lambda: noise(classify=None)),
        ("condition", lambda: noise(condition={"Young": 1})),
        ("condition", lambda: noise(condition="Bald")),
        ("n", lambda: noise(n=0)),
        ("n", lambda: noise(n=MANY)),
        ("stickiness", lambda: noise(stickiness=2)),
        ("stickiness", lambda: noise(stickiness="half")),
        ("method", lambda: noise(method="magic")),
        ("method", lambda: noise(method=3)),
        ("attributes", lambda: noise(attributes=["Bald", "Bald"])),
        ("attributes", lambda: noise(attributes=3)),
        ("attributes", lambda: noise(attributes="Bald")),
        ("prior", lambda: noise(prior="cauchy")),
        ("per", lambda: noise(per="pixel")),
        ("threshold", lambda: noise(threshold=1)),
        ("threshold", lambda: noise(threshold="high")),
        ("likelihood", lambda: noise(likelihood="firm")),
        ("batch", lambda: noise(batch=0)),
        ("budget", lambda: noise(budget=0.5)),
        ("generator", lambda: noise(generator=0)),
    ],
    "esm_cf_sampler": [
        ("z", lambda: cf.esm_cf_sampler(torch.zeros(1, 2, 3), 1)),
        ("n", lambda: cf.esm_cf_sampler(Z, 0)),
        ("n", lambda: cf.esm_cf_sampler(Z, MANY)),
        ("stickiness", lambda: cf.esm_cf_sampler(Z, 1, stickiness="half")),
        ("prior", lambda: cf.esm_cf_sampler(Z, 1, prior=3)),
        ("prior", lambda: cf.esm_cf_sampler(Z, 1, prior=lambda n, k, generator: torch.zeros(1))),
        ("per", lambda: cf.esm_cf_sampler(Z, 1, per=["dimension"])),
        ("generator", lambda: cf.esm_cf_sampler(Z, 1, generator=0)),
    ],
    "Worlds.select": [
        ("rows", lambda: WORLDS.select(torch.tensor([2]))),
        ("rows", lambda: WORLDS.select([0])),
        ("rows", lambda: WORLDS.select(torch.zeros(2))),
    ],
    "gaussian_cf_sampler": [
        ("z", lambda: cf.gaussian_cf_sampler(None, 1)),
        ("n", lambda: cf.gaussian_cf_sampler(Z, 1.0)),
        ("n", lambda: cf.gaussian_cf_sampler(Z, MANY)),
        ("scale", lambda: cf.gaussian_cf_sampler(Z, 1, scale=-1)),
        ("scale", lambda: cf.gaussian_cf_sampler(Z, 1, scale=None)),
        ("generator", lambda: cf.gaussian_cf_sampler(Z, 1, generator=0)),
    ],
    "load_classifier": [
        ("nowhere", lambda: cf.load_classifier("nowhere")),
        ("source", lambda: cf.load_classifier(3)),
    ],
    "load_data": [
        ("data source", lambda: cf.load_data("face")),
        ("data source", lambda: cf.load_data(["faces"])),
        ("data_root", lambda: cf.load_data("celeba")),
        ("split", lambda: cf.load_data("faces", split="all of it")),
        ("n", lambda: cf.load_data("faces", n="ten")),
        ("n", lambda: cf.load_data("faces", n=MANY)),
        ("seed", lambda: cf.load_data("faces", n=2, seed=-1)),
        ("option", lambda: cf.load_data("faces", sise=64)),
        ("no folder", lambda: cf.load_data("folder", "nowhere")),
        ("root", lambda: cf.load_data("folder", 3)),
    ],
    "load_run": [
        ("nowhere", lambda: cf.load_run("nowhere")),
        ("path", lambda: cf.load_run(3)),
        ("device", lambda: cf.load_run(".", device="gpu")),
        ("device", lambda: cf.load_run(".", device=3)),
    ],
    "write_page": [("run", lambda: cf.write_page("runs/latest", "page.html"))],
    "optimise_noise": [
        ("images", lambda: cf.optimise_noise(shade, torch.zeros(3, 2, 2), torch.zeros(1, 3))),
        ("start", lambda: cf.optimise_noise(shade, torch.zeros(2, 3, 2, 2), torch.zeros(1, 3))),
        ("start", lambda: cf.optimise_noise(shade, torch.zeros(1, 3, 2, 2), torch.full((1, 3), 9.0))),
        ("prior", lambda: cf.optimise_noise(shade, torch.zeros(1, 3, 2, 2), torch.zeros(1, 3), prior="flat")),
        ("steps", lambda: cf.optimise_noise(shade, torch.zeros(1, 3, 2, 2), torch.zeros(1, 3), steps=-1)),
        ("decode", lambda: cf.optimise_noise(shade, torch.zeros(1, 3, 8, 8), torch.zeros(1, 3))),
        ("decode", lambda: cf.optimise_noise(shade, torch.zeros(1, 3, 2, 2), torch.zeros(1, 3))),
    ],
    "sample_where": [
        ("generate", lambda: where(generate=None)),
        ("generate", lambda: where(generate=lambda z: shade(z) + 2)),
        ("classify", lambda: where(classify=lambda images: read(images) * 2)),
        ("classify", lambda: where(classify="reader")),
        ("condition", lambda: where(condition={})),
        ("n", lambda: where(n=True)),
        ("n", lambda: where(n=MANY)),
        ("attributes", lambda: where(attributes=None)),
        ("noise_dim", lambda: where(noise_dim=0)),
        ("noise_dim", lambda: where(noise_dim=MANY)),
        ("prior", lambda: where(prior="cauchy")),
        ("batch", lambda: where(batch=-1)),
        ("budget", lambda: where(budget="all")),
        ("threshold", lambda: where(threshold=0)),
        ("device", lambda: where(device="gpu")),
        ("generator", lambda: where(generator=0)),
    ],
}
