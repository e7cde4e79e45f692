"""CelebA's full attribute table, where a copy lies beside the repository."""

from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "celeba_attributes.npz"
needs_celeba = pytest.mark.skipif(not FILE.is_file(), reason=f"CelebA's attribute table is not at {FILE}")


def celeba_table() -> dict[str, np.ndarray]:
    with np.load(FILE) as stored:
        names, packed = stored["names"], stored["attr"]
    columns = np.unpackbits(packed, axis=1)[:, : len(names)].T
    return {str(name): column for name, column in zip(names, columns, strict=True)}
