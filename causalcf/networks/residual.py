"""A small residual network that reads labels off an image, of another shape than the Labeler."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut (He et al. 2016), halving the size where `stride` is 2."""

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


class ResidualReader(nn.Module):
    """(n, 3, 64, 64) images in [-1, 1] to (n, d) logits: four blocks at 32, 16, 8 and 4 pixels, then their mean.

    Args:
        n_labels: d.
        width: channels at 32 pixels, doubled from block to block.
        dropout: probability with which each of the mean features is left out in training.
    """

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
