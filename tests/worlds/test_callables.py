"""Generators and classifiers that people bring: what is no function of its input, and what has another form."""

import re

import pytest
import torch
from helpers.noise_oracles import seeded
from torch import nn
from torch.nn.functional import interpolate

from causalcf.errors import CausalCFError
from causalcf.worlds.condition import TWICE
from causalcf.worlds.conditional import sample_where
from causalcf.worlds.observed import METHODS, counterfactual_noise

K = 6


@pytest.fixture(autouse=True)
def same_global_numbers():
    """Dropout and noise draw on PyTorch's global state: it is the same whatever tests ran before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


class Added(nn.Module):
    """Adds what a function makes of the activations."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def forward(self, x):
        return x + self.what(x)


class Drift(nn.Module):
    """Counts its calls, and shows the count."""

    calls = 0

    def forward(self, x):
        self.calls += 1
        return x * (1 + self.calls / 50)


def layers(*odd, width=12):
    """A network of noise, K to 3 * 8 * 8 pixels, with odd layers within; the same weights each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        return nn.Sequential(nn.Linear(K, width), *odd, nn.ReLU(), nn.Linear(width, 192), nn.Tanh())


def painter(network):
    return lambda noise: (network(noise).view(-1, 3, 8, 8) + 1) / 2


def reader(*odd, level=-2.0):
    """A classifier of brightness in a corner, with odd layers between pixels and log-odds."""
    body = nn.Sequential(nn.Flatten(), *odd)
    return lambda images: (body((images - 0.5) * 40)[:, :9].mean(1, keepdim=True) + level).sigmoid()


EVAL = painter(layers().eval())
READ = reader()
ODD = {
    "batch norm": nn.BatchNorm1d(12),
    "group of the batch": Added(lambda x: -0.3 * x.mean(0, keepdim=True)),
    "dropout": nn.Dropout(0.1),
    "noise": Added(lambda x: 0.02 * torch.randn_like(x)),
    "drift": Drift(),
    "batch size": Added(lambda x: x / len(x)),
    "large batches": Added(lambda x: x * (len(x) > 20)),
}


def ask(method, generate, classify, n=6, **options):
    options = {"attributes": ["A"], "prior": "normal", "generator": seeded(), **options}
    if method == "sample_where":
        return sample_where(generate, classify, {"A": 1}, n, noise_dim=K, **options)
    z = options.pop("z", torch.randn(K, generator=seeded(8)))
    return counterfactual_noise(z, generate, classify, {"A": 1}, n, method=method, **options)


@pytest.mark.parametrize("method", ["sample_where", *METHODS])
@pytest.mark.parametrize("kind", ODD)
def test_a_generator_that_is_no_function_of_its_noise_is_refused(method, kind):
    state = torch.get_rng_state()
    with pytest.raises(CausalCFError, match=r"(generate|classify) .*(no function|failed).*\.eval\(\)"):
        ask(method, painter(layers(ODD[kind])), READ)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("kind", ODD)
def test_a_classifier_that_is_no_function_of_its_image_is_refused(kind):
    odd = nn.BatchNorm1d(192) if kind == "batch norm" else ODD[kind]
    with pytest.raises(CausalCFError, match=r"classify .*(no function|failed).*\.eval\(\)"):
        ask("smc", EVAL, reader(odd))
    for level in (-9.0, 6.0):  # rare, and nearly always
        steep = reader(odd, level=level)
        try:
            drawn = ask("smc", EVAL, steep).noise
        except CausalCFError as error:
            assert re.search("classify .*(no function|failed)", str(error))
        else:  # of what looks alike at 1 - p, all draws hold
            assert "batch" in kind and all((steep(EVAL(z[None])) > 0.5).all() for z in drawn)


@pytest.mark.parametrize("method", ["sample_where", *METHODS])
def test_the_same_networks_in_eval_mode_are_taken(method):
    for odd in (nn.BatchNorm1d(12), nn.Dropout(0.1)):
        network = layers(odd).eval()
        before = {name: part.clone() for name, part in network.state_dict().items()}
        found = ask(method, painter(network), READ)
        assert all((READ(painter(network)(z[None])) > 0.5).all() for z in found.noise)
        assert all(torch.equal(part, before[name]) for name, part in network.state_dict().items())


def rough(by):
    """What another kernel makes of large batches: a difference that follows from the noise, as rounding does."""
    return lambda noise: EVAL(noise) + by * (noise[:, :1, None, None] * 1e4).sin() * (len(noise) > 1)


@pytest.mark.parametrize("by", [1e-6, 1e-4, 2e-3])
@pytest.mark.parametrize("method", ["sample_where", *METHODS])
def test_draws_hold_when_each_is_generated_alone_though_batch_sizes_differ_in_the_last_bits(method, by):
    generate = rough(by)

    def steep(images):  # many images near the threshold
        return ((images[:, :, 0, 0].mean(1, keepdim=True) - 0.5) * 20 - 0.05).sigmoid()

    found = ask(method, generate, steep, n=200)
    alone = torch.cat([steep(generate(z[None])) for z in found.noise])
    assert (alone > 0.5).all()
    together = steep(EVAL(found.noise) + by)
    assert by < 1e-3 or (together - alone).abs().max() > 1e-3  # batch sizes do differ


def low(generate):
    def lower(noise):
        with torch.autocast("cpu", torch.bfloat16):
            return generate(noise)

    return lower


@pytest.mark.parametrize("generate", [low(EVAL), lambda noise: EVAL(noise).half(), lambda noise: EVAL(noise).double()])
def test_honest_networks_of_any_precision_are_taken(generate):
    found = ask("smc", generate, lambda images: READ(images.float()))
    assert len(found.noise) == 6


def test_a_batch_of_one_or_two_is_looked_at_in_two_sizes_too():
    for batch in (1, 2, 3):
        sizes = set()

        def counted(noise, sizes=sizes):
            sizes.add(len(noise))
            return EVAL(noise)

        ask("rejection", counted, READ, batch=batch)
        assert sizes >= {1, max(2, min(batch, TWICE))} and max(sizes) == max(2, batch)
        with pytest.raises(CausalCFError, match="no function"):
            ask("rejection", painter(layers(ODD["group of the batch"])), READ, batch=batch)


def test_second_looks_leave_the_draws_and_the_callers_generator_as_they_were(monkeypatch):
    source, plain = seeded(3), seeded(3)
    first = ask("smc", EVAL, READ, generator=source)
    monkeypatch.setattr("causalcf.worlds.condition.Judge.check", lambda judge, noise: None)
    again = ask("smc", EVAL, READ, generator=plain)
    assert torch.equal(first.noise, again.noise) and torch.equal(source.get_state(), plain.get_state())
    assert first.diagnostics == again.diagnostics


Z = torch.zeros(K)


@pytest.mark.parametrize(
    ("changed", "culprit"),
    [
        ({"z": Z + 1.0001, "prior": "uniform"}, r"\bz\b.*\b1\.0001.*'uniform'.*\"normal\""),
        ({"z": Z - 2, "prior": "uniform"}, r"\bz\b.*\b2\b.*'uniform'"),
        ({"z": Z + 200}, r"\bz\b.*\b200\b.*'normal'.*callable"),
        ({"z": Z.double()}, r"generate failed on float64 of shape \(4, 6\).*z\.float\(\)"),
        ({"z": Z.bfloat16()}, r"generate failed on bfloat16"),
        ({"generate": nn.ConvTranspose2d(K, 3, 4)}, r"generate failed on float32 of shape \(4, 6\).*None, None\]"),
        ({"generate": lambda noise: EVAL(noise).movedim(1, 3)}, r"generate.*\(4, 8, 8, 3\).*permute"),
        ({"generate": lambda noise: EVAL(noise)[:, :2]}, r"generate.*\(4, 2, 8, 8\).*\(n, 1, h, w\)"),
        ({"generate": lambda noise: (EVAL(noise) * 255).byte()}, r"generate gave uint8.*/ 255"),
        ({"generate": lambda noise: EVAL(noise) * 255}, r"generate.*/ 255"),
        ({"generate": lambda noise: EVAL(noise) > 0.5}, r"generate gave bool"),
        ({"generate": lambda noise: EVAL(noise).numpy()}, r"generate gave ndarray"),
        ({"generate": lambda noise: (EVAL(noise), noise)}, r"generate gave tuple"),
        ({"generate": lambda noise: EVAL(noise)[..., :0]}, r"generate.*\(4, 3, 8, 0\)"),
        ({"generate": lambda noise: EVAL(noise).to("meta")}, r"generate failed.*meta"),
        ({"classify": lambda images: READ(images)[:, 0]}, r"classify.*\(4,\).*p\[:, None\]"),
        ({"classify": lambda images: READ(images).expand(-1, 2)}, r"classify.*\(4, 2\).*\(4, 1\)"),
        ({"classify": lambda images: READ(images).T}, r"classify.*\(1, 4\).*\(4, 1\)"),
        ({"classify": lambda images: READ(images).to(torch.complex64)}, r"classify failed"),
        ({"classify": nn.Linear(5, 1)}, r"classify failed on float32 of shape \(4, 3, 8, 8\).*sigmoid"),
        ({"classify": lambda images: images.nothing}, r"classify failed.*nothing"),
    ],
)
def test_another_form_is_refused_in_one_sentence(changed, culprit):
    with pytest.raises(CausalCFError, match=culprit) as raised:
        ask("smc", **{"generate": EVAL, "classify": READ, **changed})
    assert "\n" not in str(raised.value)


def test_what_loses_nothing_is_taken():
    grey = ask("smc", lambda noise: EVAL(noise)[:, :1], lambda images: READ(images.expand(-1, 3, -1, -1)))
    grown = ask(
        "smc", lambda noise: interpolate(EVAL(noise), scale_factor=2), lambda images: READ(images[:, :, ::2, ::2])
    )
    double = ask("smc", lambda noise: EVAL(noise.float()), READ, z=Z.double(), prior="uniform")
    weight = nn.Parameter(torch.ones(()))

    def differentiable(images):
        with torch.enable_grad():
            return READ(images * weight)

    learned = ask("sample_where", EVAL, differentiable)
    assert len(grey.noise) == len(grown.noise) == 6 and double.noise.dtype == torch.float64
    assert not learned.probabilities.requires_grad
    for edge in (Z + 1, Z - 1):  # rounding to half precision reaches the bounds
        assert len(ask("smc", EVAL, READ, z=edge, prior="uniform").noise) == 6
    own = ask("smc", EVAL, READ, z=Z + 100, prior=lambda n, k, generator: torch.randn(n, k, generator=generator) + 99)
    assert len(own.noise) == 6


@pytest.mark.parametrize("which", ["generate", "classify"])
def test_an_input_that_is_changed_in_place_changes_nothing(which):
    def spoiling(function):
        return lambda given: (function(given), given.mul_(0.5))[0]

    brought = {"generate": EVAL, "classify": READ}
    spoilt = brought | {which: spoiling(brought[which])}
    one, other = (
        sample_where(**both, condition={"Light": 1}, n=5, attributes=["Light"], noise_dim=K, generator=seeded(0))
        for both in (brought, spoilt)
    )
    assert one.noise.equal(other.noise) and one.images.equal(other.images)


@pytest.mark.parametrize(("more", "taken"), [(2e-4, True), (0.1, False)])
def test_probabilities_are_one_up_to_rounding(more, taken):
    def above(images):
        return READ(images).round() * (1 + 2 * more) - more

    def found():
        return sample_where(EVAL, above, {"Light": 1}, 5, attributes=["Light"], noise_dim=K, generator=seeded(0))

    if taken:
        assert bool((READ(found().images) > 0.5).all())
    else:
        with pytest.raises(CausalCFError, match=r"classify gave values from .*must be probabilities"):
            found()
