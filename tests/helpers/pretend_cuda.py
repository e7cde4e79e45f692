"""Tensors that say they are on CUDA, hold their numbers on the CPU, and refuse to meet a tensor that was left there."""

from contextlib import contextmanager

import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

CUDA, CPU = torch.device("cuda", 0), torch.device("cpu")
COPIES = (torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.copy_, torch.Tensor.type_as)
TO, LOAD = nn.Module.to, torch.load


class OnCuda(torch.Tensor):
    """A tensor on the pretended device."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function == torch.Tensor.device.__get__:
            return CUDA
        if function == torch.Tensor.is_cuda.__get__:
            return True
        if function in (torch.Tensor.numpy, torch.Tensor.__array__):
            raise TypeError(f"can't convert {CUDA} device type tensor to numpy. Use Tensor.cpu() first")
        given = tree_leaves((args, kwargs))
        left = [x for x in given if isinstance(x, torch.Tensor) and not isinstance(x, OnCuda) and x.dim()]
        if left and function not in COPIES:
            raise RuntimeError(f"{function.__name__}: a tensor on the CPU meets one on {CUDA}")
        asked = [x for x in given if isinstance(x, (str, torch.device)) and not _is_cuda(x)]
        found = function(*tree_map(_plain, args), **tree_map(_plain, kwargs))
        to_cpu = function is torch.Tensor.cpu or (function is torch.Tensor.to and asked)
        return found if to_cpu else _there(found)


def _is_cuda(x):
    return isinstance(x, (str, torch.device)) and str(x).startswith("cuda")


def _plain(x):
    return CPU if _is_cuda(x) else x.as_subclass(torch.Tensor) if isinstance(x, OnCuda) else x


def _there(found):
    """Say of a tensor, or of each of several, that it is there."""
    if type(found) is torch.Tensor:
        return found.as_subclass(OnCuda)
    return type(found)(map(_there, found)) if type(found) in (tuple, list) else found


class Asked(TorchFunctionMode):
    """What is asked for on CUDA is made on the CPU and said to be on CUDA."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.device or not any(_is_cuda(x) for x in (*args, *kwargs.values())):
            return function(*args, **kwargs)
        return _there(function(*map(_plain, args), **{key: _plain(x) for key, x in kwargs.items()}))


def _moved(module, *where, **how):
    """Stand in for `module.to`; what is there cannot be trained."""
    if not any(_is_cuda(x) for x in (*where, *how.values())):
        return TO(module, *where, **how)
    for part in module.modules():
        for held in (part._parameters, part._buffers):
            held |= {name: _there(tensor.detach()) for name, tensor in held.items() if tensor is not None}
    return module


def _loaded(*file, map_location=None, **how):
    """Stand in for `torch.load`: a file's tensors come to the CPU."""
    return LOAD(*file, map_location=_plain(map_location), **how)


@contextmanager
def pretended_cuda():
    """A CUDA device to draw, read and evaluate on."""
    with pytest.MonkeyPatch.context() as patch, Asked():
        patch.setattr(nn.Module, "to", _moved)
        patch.setattr(torch, "load", _loaded)
        patch.setattr(torch.cuda, "get_device_name", lambda device: f"a pretended {device}")
        yield CUDA
