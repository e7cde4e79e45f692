"""AlexNet (Krizhevsky, Sutskever, Hinton 2012) for images of 64x64 pixels."""

from __future__ import annotations

from torch import Tensor, nn


class AlexNet(nn.Module):
    """(n, 3, 64, 64) images in [-1, 1] to (n, d) logits: five convolutions, three pools, three full layers.

    Kept from the original: five convolutions with ReLU, overlapping 3x3 pools of stride 2 after the first, second and
    fifth, two hidden full layers with dropout .5 before each.

    Adapted to 64x64, from 224x224:

    - the first convolution is 5x5 with stride 2 (11x11 with stride 4), so that 32x32 places are left to look at;
    - pools are padded by one pixel: 32 -> 16 -> 8 -> 4 pixels (55 -> 27 -> 13 -> 6);
    - the channels stand as 1 : 3 : 6 : 4 : 4 times `width`; width 64 is the one-column layout (Krizhevsky 2014);
    - the hidden layers have 16 `width` units (4096 for a thousand classes);
    - batch normalisation after each convolution, where the original normalises responses locally after the first two:
      it needs no warm-up by hand and trains at the rates that the residual network trains at.

    Args:
        n_labels: d.
        width: channels of the first layer.
        dropout: probability with which each input of a hidden layer is left out in training.
    """

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
