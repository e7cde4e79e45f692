"""The newest finished run of each kind in a folder."""

from causalcf.runs.directory import finished_runs


def latest_runs(base):
    return {run.kind: run.folder for run in finished_runs(base)}
