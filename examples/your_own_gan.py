"""Ask a GAN and a classifier that are not ours: a plain PyTorch DCGAN state_dict, and any reader of images.

    python examples/your_own_gan.py
    python examples/your_own_gan.py --weights netG.pt --latent 100 --width 64 --classifier attributes.pt

The generator has the classic layout of the DCGAN tutorial: a 1x1 latent, five transposed convolutions, a tanh. Without
--weights and --classifier, random networks are written and read back as if they had been trained elsewhere: the
pictures then show nothing, but every call is the one you would make.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import textwrap
from pathlib import Path

import torch
from torch import Tensor, nn

from causalcf.cli.command import run as run_command
from causalcf.errors import CausalCFError
from causalcf.io.text import plain
from causalcf.io.untrusted import read_tensors
from causalcf.pictures.sheets import save_sheet
from causalcf.runs.abduction import optimise_noise
from causalcf.worlds.conditional import sample_where
from causalcf.worlds.observed import counterfactual_noise

ATTRIBUTES = ("Smiling", "Male", "Eyeglasses")  # the classifier's columns, in order


class Generator(nn.Module):
    """(n, latent, 1, 1) to (n, 3, 64, 64) in [-1, 1]."""

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(latent, width * 8, 4, 1, 0, bias=False),
            nn.BatchNorm2d(width * 8),
            nn.ReLU(True),
            nn.ConvTranspose2d(width * 8, width * 4, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(width * 4, width * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(width * 2, width, 4, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(True),
            nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, latent: Tensor) -> Tensor:
        return self.main(latent)


class Classifier(nn.Module):
    """(n, 3, 64, 64) images in [-1, 1] to (n, 3) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 5, 4, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(), nn.Flatten()
        )
        self.read = nn.Linear(16 * 8 * 8, len(ATTRIBUTES))

    def forward(self, images: Tensor) -> Tensor:
        return self.read(self.features(images))


def load(network: nn.Module, path: Path) -> nn.Module:
    """The network with these weights, in eval mode: its batch norm must not look at batch-mates."""
    try:
        weights = read_tensors(path)  # nothing in the file is executed
        parts = [name for name, part in weights.items() if isinstance(part, dict)]
        if parts:
            raise CausalCFError(f"it is a checkpoint of parts; save its state_dict alone, out of {', '.join(parts)}")
        network.load_state_dict(weights)
    except Exception as error:  # torch has many for what is no state_dict
        said = textwrap.shorten(plain(error), 300)
        what = f"{plain(path)} is no state_dict of this {type(network).__name__}, as torch.save(net.state_dict(), FILE)"
        raise CausalCFError(f"{what} writes: {said}") from error
    return network.eval().requires_grad_(False)


def stand_in_generator(path: Path, latent: int, width: int) -> Path:
    """Writes weights as somebody else might have left them: random, with the batch statistics that training leaves."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        generator = Generator(latent, width)
        for _ in range(20):
            generator(torch.randn(32, latent, 1, 1))
    torch.save(generator.state_dict(), path)
    return path


def stand_in_classifier(path: Path, generator: nn.Module, latent: int) -> Path:
    """Writes random weights, scaled so that about one in six of the generator's images shows each attribute."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        classifier = Classifier()
        logits = classifier(generator(torch.randn(256, latent, 1, 1)))
        classifier.read.weight.div_(logits.std(0)[:, None])
        classifier.read.bias.sub_(logits.mean(0)).div_(logits.std(0)).sub_(1.0)
    torch.save(classifier.state_dict(), path)
    return path


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Ask a GAN and a classifier that are not ours.")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="the generator's state_dict")
    parser.add_argument("--classifier", type=Path, metavar="FILE", help="the classifier's state_dict")
    parser.add_argument("--latent", type=int, default=16)
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--out", default="your_own_gan.png", metavar="FILE.png")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)

    with tempfile.TemporaryDirectory() as folder:
        latent, width = options.latent, options.width
        weights = options.weights or stand_in_generator(Path(folder) / "generator.pt", latent, width)
        generator = load(Generator(latent, width), weights)
        weights = options.classifier or stand_in_classifier(Path(folder) / "classifier.pt", generator, latent)
        classifier = load(Classifier(), weights)

    # All that causalcf wants to know: noise (n, k) to images in [0, 1], and images to probabilities.
    def generate(noise: Tensor) -> Tensor:
        return (generator(noise[:, :, None, None]) + 1) / 2

    def classify(images: Tensor) -> Tensor:
        return classifier(images * 2 - 1).sigmoid()

    source = torch.Generator().manual_seed(options.seed)
    actual = sample_where(
        generate,
        classify,
        {"Smiling": 0, "Male": 1},
        4,
        attributes=ATTRIBUTES,
        noise_dim=latent,
        prior="normal",  # what this DCGAN was trained on
        generator=source,
    )
    print(f"not smiling, male: {actual.acceptance:.1%} of this generator's images")
    rows = []
    for unit, z in enumerate(actual.noise):
        draws = counterfactual_noise(
            z, generate, classify, {"Smiling": 1}, 6, attributes=ATTRIBUTES, prior="normal", generator=source
        )
        made = draws.diagnostics
        print(
            f"face {unit}, had it smiled: P {made.probability:.3f}, {made.evaluations} images generated for draws "
            f"worth {made.effective_size:.1f}; {draws.kept.float().mean():.0%} of the noise kept"
        )
        rows.append((f"face {unit}", torch.cat([actual.images[unit : unit + 1], generate(draws.noise)])))
    save_sheet(options.out, rows)
    print(f"wrote {options.out}: the actual face, then what it might have been")

    # A photograph's noise, by descent from the nearest of 64 random ones. This photograph is one of the GAN's images.
    photograph = actual.images[:1]
    draws = torch.randn(64, latent, generator=source)
    nearest = (generate(draws) - photograph).abs().flatten(1).mean(1).argmin()
    found = optimise_noise(generate, photograph, draws[nearest][None], prior="normal")
    apart = [float((generate(z) - photograph).abs().mean()) for z in (draws[nearest][None], found)]
    print(f"a photograph's noise: its image is {apart[1]:.4f} from the photograph, where the start was {apart[0]:.4f}")


if __name__ == "__main__":
    sys.exit(run_command(main))
