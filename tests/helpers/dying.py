"""Runs work that dies at a chosen moment, each in a process of its own: `python -m helpers.dying PLAN`.

PLAN is a JSON file: a list of {"folder", "cache", "die"} with one of "recipe", to train by it, "outcome", to write a
report of it, and "evaluation", the flags of causalcf.eval. `die` is null, to live and count what could be died at, or
[kind, number, "before" | "after"]. What was counted is written to counted.json in the folder.

The processes are forks of one that has imported everything and computed nothing, so that each starts at once.
"""

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path

import torch
from PIL import Image

from causalcf.data.faces import dataset
from causalcf.eval import main as eval_main
from causalcf.evaluation.report import plots as figures
from causalcf.evaluation.report import write as report
from causalcf.runs.recipe import Recipe
from causalcf.training.experiment import start_run
from causalcf.training.loop import Training
from helpers.killing import plot


class Moments:
    """Counts what happens, and kills this process at the moment it is told."""

    def __init__(self, die):
        self.counted, self.die = Counter(), tuple(die) if die else None

    def watch(self, owner, name, kind):
        usual = getattr(owner, name)

        def watched(*args, **kwargs):
            self.counted[kind] += 1
            now = (kind, self.counted[kind])
            if self.die == (*now, "before"):
                os.kill(os.getpid(), signal.SIGKILL)
            result = usual(*args, **kwargs)
            if self.die == (*now, "after"):
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, watched)


def work(plan):
    """One piece of work, in this process."""
    os.environ["CAUSALCF_CACHE"] = plan["cache"]
    log = os.open(Path(plan["folder"]) / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1), os.dup2(log, 2)
    moments = Moments(plan["die"])
    moments.watch(dataset, "to_bytes", "a chunk of the cache")
    moments.watch(torch.optim.Adam, "step", "one player's part of a step")
    moments.watch(Training, "calibrate", "what comes before a checkpoint")
    moments.watch(torch, "save", "a checkpoint on its way to the disk")
    moments.watch(os, "fsync", "a file on its way to the disk")
    moments.watch(os, "replace", "a file taking its name")
    moments.watch(Image.Image, "save", "a picture")
    if "recipe" in plan:
        start_run(Recipe(**plan["recipe"]).validate())
    elif "outcome" in plan:
        figures.draw_effects = figures.draw_heat_map = plot
        report.write_report(Path(plan["folder"]) / "report", plan["outcome"])
    else:
        moments.watch(report, "write_atomically", "a part of the report")
        eval_main(plan["evaluation"])
    (Path(plan["folder"]) / "counted.json").write_text(json.dumps(moments.counted))


def main():
    for plan in json.loads(Path(sys.argv[1]).read_text()):
        child = os.fork()
        if child == 0:
            try:
                work(plan)
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr)
                os._exit(1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        (Path(plan["folder"]) / "status").write_text(str(status))


if __name__ == "__main__":
    main()
