"""Trainings whose steps are done by two processes of this machine, for tests to hold against those of one process."""

import os
from contextlib import ExitStack
from unittest import mock

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from causalcf.classifiers.classifier import AttributeClassifier, Calibration
from causalcf.classifiers.storage import save_classifier
from causalcf.cli.command import end_at_once
from causalcf.distributed.batch import average_over_processes, own_share
from causalcf.distributed.group import leave
from causalcf.eval import main as evaluate
from causalcf.evaluation.session import ResultCache
from causalcf.language.lists import load_statements
from causalcf.losses.adversarial import squared_gradient_norm
from causalcf.networks.dcgan import Discriminator
from causalcf.networks.readers import build_network
from causalcf.training.experiment import assemble, graph_of, label_generator, training_data

CPU = torch.device("cpu")


def steps(recipe, n, state=None):
    """What n steps come to, from a training's first or from the state in a file.

    All is done in float64, where what rounding changes stays far below what a mistake does: in float32 a generator's
    gradients agree to about 1e-3, and Adam makes as much of a small difference as of a large one.

    Returns:
        Each step's losses over the whole batch; the weights, the random state and all that resuming needs afterwards.
    """
    with ExitStack() as stack:
        stack.callback(torch.set_default_dtype, torch.get_default_dtype())
        torch.set_default_dtype(torch.float64)
        stack.enter_context(mock.patch.object(torch.Tensor, "float", torch.Tensor.double))
        graph = graph_of(recipe)
        data = training_data(recipe, graph)
        told = None if recipe.statements is None else load_statements(recipe.statements, graph.nodes)
        training = assemble(recipe, graph, label_generator(recipe, graph, data), data, CPU, "float32", told)
        if training.constraint is not None:
            training.constraint.classifier.network.to(torch.float32)  # in which it reads
        if state is not None:
            training.restore(torch.load(state, weights_only=True), state)
        losses = []
        for _ in range(n):
            step = training.advance()
            average_over_processes(list(step.values()))
            losses.append({name: value.item() for name, value in step.items()})
    state = training.state()
    return {"losses": losses, "weights": state["networks"], "random": state["random"], "state": state}


def penalty_gradients(by_ddp):
    """A discriminator's gradients by R1 on this process's share of eight images, as DistributedDataParallel gives them
    to `torch.autograd.grad`, or averaged by our own hand."""
    torch.manual_seed(0)
    judge = Discriminator(0, 2)
    images = own_share(torch.rand(8, 3, 64, 64)).requires_grad_()
    called = torch.nn.parallel.DistributedDataParallel(judge) if by_ddp else judge
    penalty = squared_gradient_norm(called(images, torch.zeros(len(images), 0)), images).mean()
    gradients = torch.autograd.grad(penalty, judge.stack.layers[0].weight)
    if not by_ddp:
        average_over_processes(gradients)
    return gradients[0]


def report(arguments):
    """Evaluates with small sizes; gives the exit code, and the names of the parts that this process has made."""
    made, get = [], ResultCache.get

    def noting(self, names, make):
        return get(self, names, lambda: made.append(str(names)) or make())

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(ResultCache, "get", noting))
        stack.enter_context(mock.patch("causalcf.evaluation.measure.REAL", 50))
        stack.enter_context(mock.patch("causalcf.evaluation.approaches.ROUND", 64))
        return {"code": evaluate(arguments), "made": made}


def save_reader(folder, names):
    """An untrained classifier, which sees this and that in anything."""
    torch.manual_seed(0)
    network = build_network("alexnet", len(names), 4).eval()
    for parameter in network.parameters():
        parameter.data *= 3
    plain = Calibration(torch.ones(len(names), dtype=torch.float64), torch.zeros(len(names), dtype=torch.float64))
    columns, rates = tuple(range(len(names))), (0.5,) * len(names)
    folder.mkdir()
    save_classifier(
        folder / "classifier.pt", AttributeClassifier(names, network, columns, plain, rates, False, ("alexnet", 4))
    )
    (folder / "meta.json").write_text('{"recipe": {"data": "faces"}, "data_fingerprint": "none"}')
    return folder


def by_two(jobs, folder):
    """What each of two processes makes of jobs.

    Args:
        jobs: name -> (function, arguments, sabotage), the last of them names of functions that are left out, as
            `mock.patch` takes them.
        folder: for the files through which they meet.
    """
    return _made(jobs, folder, 2)


def by_one(jobs, folder):
    """What one process makes of them, fresh as the two are: whatever tests did before has no part in the comparison."""
    return _made(jobs, folder, 1)[0]


def _made(jobs, folder, size):
    mp.spawn(_work, (jobs, str(folder), size), nprocs=size)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(size)]


def nothing(*arguments):
    """Stands in the place of what is left out."""


def _work(rank, jobs, folder, size):
    torch.set_num_threads(1)
    os.environ["LOCAL_RANK"] = str(rank)
    if size > 1:
        dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=size)
    found = {name: _do(*job) for name, job in jobs.items()}
    torch.save(found, f"{folder}/{rank}.pt")
    if size > 1:
        leave()
    end_at_once(0)


def _do(function, arguments, sabotage):
    with ExitStack() as stack:
        for name in sabotage:
            stack.enter_context(mock.patch(name, nothing))
        return function(*arguments)
