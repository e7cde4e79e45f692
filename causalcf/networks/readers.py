"""Networks that classify attributes: AlexNet adapted to 64x64 pixels, and a small residual network."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import relu

from ..checks import check_choice
from ..errors import RecipeError


class AlexNet(nn.Module):
    """AlexNet from (n, 3, 64, 64) images in [-1, 1] to (n, d) logits; `width` is that of the first layer."""

    def __init__(self, n_labels: int, width: int = 64, dropout: float = 0.5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolution(3, width, kernel=5, stride=2),
            nn.MaxPool2d(3, 2, 1),
            *_convolution(width, 3 * width, kernel=5),
            nn.MaxPool2d(3, 2, 1),
            *_convolution(3 * width, 6 * width),
            *_convolution(6 * width, 4 * width),
            *_convolution(4 * width, 4 * width),
            nn.MaxPool2d(3, 2, 1),
        )
        hidden = 16 * width
        self.read = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(4 * 4 * 4 * width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, n_labels),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.read(self.features(images).flatten(1))


def _convolution(narrow: int, wide: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(narrow, wide, kernel, stride, kernel // 2, bias=False)
    return [layer, nn.BatchNorm2d(wide), nn.ReLU()]


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016); stride 2 halves the size."""

    def __init__(self, narrow: int, wide: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(narrow, wide, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(wide)
        self.second = nn.Conv2d(wide, wide, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(wide)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or narrow != wide:
            self.shortcut = nn.Sequential(nn.Conv2d(narrow, wide, 1, stride, bias=False), nn.BatchNorm2d(wide))

    def forward(self, features: Tensor) -> Tensor:
        inner = relu(self.first_norm(self.first(features)))
        return relu(self.second_norm(self.second(inner)) + self.shortcut(features))


class ResidualNetwork(nn.Module):
    """Residual network from (n, 3, 64, 64) images in [-1, 1] to (n, d) logits, with four blocks."""

    def __init__(self, n_labels: int, width: int = 24, dropout: float = 0.0) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(
            ResidualBlock(width, width, 1),
            ResidualBlock(width, 2 * width, 2),
            ResidualBlock(2 * width, 4 * width, 2),
            ResidualBlock(4 * width, 8 * width, 2),
        )
        self.dropout = nn.Dropout(dropout)
        self.read = nn.Linear(8 * width, n_labels)

    def forward(self, images: Tensor) -> Tensor:
        return self.read(self.dropout(self.blocks(self.stem(images)).mean((2, 3))))


_NETWORKS: dict[str, Callable[[int, int, float], nn.Module]] = {"residual": ResidualNetwork, "alexnet": AlexNet}


def build_network(name: str, n_labels: int, width: int, dropout: float = 0.0) -> nn.Module:
    """Build a network; its random weights come from PyTorch's global state, so use it under `fork_rng`."""
    return _NETWORKS[check_choice("network", name, _NETWORKS, RecipeError)](n_labels, width, dropout)
