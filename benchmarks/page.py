"""How large is a page, and how fast does it answer in headless Chromium?

    python benchmarks/page.py [--run pretrained:faces] [--rounds 5]

The first face is timed from opening the file; an answer from the choice of a switch to the counterfactual image, and to
the last of its draws. Beside them stands the largest difference between the page's images and PyTorch's in float32, in
steps of 255. It needs Chromium on the PATH, and `pip install playwright`.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch
from playwright.sync_api import Page, sync_playwright

from causalcf.cli.command import run as run_command
from causalcf.page import write_page
from causalcf.runs.loading import load_run
from causalcf.runs.run import Run

FACES = 20
# Set a switch and wait for the picture, then for all draws, inside the page: the driver's own time does not count.
ANSWER = """async (value) => {
  const start = performance.now(), canvas = document.getElementById("counterfactual");
  const drawn = new Promise((resolve) => new MutationObserver(() => resolve()).observe(canvas, { attributes: true }));
  chose("antecedent", names[names.length - 1], value);
  await drawn;
  const first = performance.now() - start;
  while (at("changed").getAttribute("aria-busy") === "true") await new Promise((resolve) => setTimeout(resolve, 2));
  return [first, performance.now() - start];
}"""


def largest_difference(page: Page, run: Run) -> float:
    draw = torch.Generator().manual_seed(0)
    noise, labels = run.sample_noise(FACES, draw), torch.randint(0, 2, (FACES, len(run.graph.nodes)), generator=draw)
    ours = replace(run, precision="float32").generate(noise, labels)
    script = "async ([noise, labels]) => Array.from(await generated(noise, labels))"
    pairs = zip(noise.tolist(), labels.tolist(), strict=True)
    drawn = torch.tensor([page.evaluate(script, list(pair)) for pair in pairs]).view_as(ours)
    return 255 * float((drawn - ours).abs().max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", default="pretrained:faces")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    run = load_run(options.run, "cpu")
    first, answers, whole = [], [], []
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = write_page(run, Path(folder) / "page.html")
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for _ in range(options.rounds):
            page = chromium.new_context().new_page()
            start = time.perf_counter()
            page.goto(path.as_uri())
            page.locator("#actual[aria-label]").wait_for()
            first.append(time.perf_counter() - start)
            for value in "1010":
                shown, all_drawn = page.evaluate(ANSWER, value)
                answers.append(shown / 1000)
                whole.append(all_drawn / 1000)
        print(f"size            {path.stat().st_size / 1e6:.2f} MB")
        for name, times in (("first face", first), ("answer", answers), ("with all draws", whole)):
            ends = f"from {min(times):.2f} to {max(times):.2f} ({len(times)})"
            print(f"{name:<15} {statistics.median(times):.2f} s, {ends}")
        print(f"largest difference from PyTorch: {largest_difference(page, run):.2f} of 255")
        chromium.close()


if __name__ == "__main__":
    sys.exit(run_command(main))
