"""PyTorch on the CPU as a subject: reductions, products, convolutions, pooling, softmax, norms, GELU."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import torch
from torch.nn import functional

from conform_adapter import Adapter, EPSILON, NotOffered, serve


def options(attrs):
    if attrs.get("layout", "nchw") not in ("nchw", "nhwc"):
        raise NotOffered("torch knows the layouts nchw and nhwc")
    return dict(stride=int(attrs.get("stride", 1)), padding=int(attrs.get("pad", 0)),
                dilation=int(attrs.get("dilation", 1)), groups=int(attrs.get("groups", 1)))


def image(x, attrs):
    return x.contiguous(memory_format=torch.channels_last) if attrs.get("layout") == "nhwc" else x


def conv2d_fwd(inputs, attrs, outputs):
    return functional.conv2d(image(inputs[0], attrs), image(inputs[1], attrs), **options(attrs))


def conv2d_bwd_data(inputs, attrs, outputs):
    dy, w = inputs
    return torch.nn.grad.conv2d_input(outputs[0][2], w, dy, **options(attrs))


def conv2d_bwd_filter(inputs, attrs, outputs):
    x, dy = inputs
    return torch.nn.grad.conv2d_weight(x, outputs[0][2], dy, **options(attrs))


OPS = {
    "sum": lambda i, a, o: i[0].sum(1),
    "asum": lambda i, a, o: i[0].abs().sum(1),
    "dot": lambda i, a, o: torch.stack([torch.dot(x, y) for x, y in zip(*i)]),
    "nrm2": lambda i, a, o: torch.linalg.vector_norm(i[0], dim=1),
    "gemv": lambda i, a, o: torch.mv(i[0], i[1]),
    "gemm": lambda i, a, o: torch.mm(i[0], i[1]),
    "conv2d_fwd": conv2d_fwd, "conv2d_bwd_data": conv2d_bwd_data, "conv2d_bwd_filter": conv2d_bwd_filter,
    "relu_fwd": lambda i, a, o: torch.relu(i[0]),
    "softmax_fwd": lambda i, a, o: torch.softmax(i[0], 1),
    "layernorm_fwd": lambda i, a, o: functional.layer_norm(i[0], i[0].shape[1:], i[1], i[2], EPSILON),
    "gelu_fwd": lambda i, a, o: functional.gelu(i[0]),
    "exp": lambda i, a, o: torch.exp(i[0]), "log": lambda i, a, o: torch.log(i[0]),
    "sin": lambda i, a, o: torch.sin(i[0]), "cos": lambda i, a, o: torch.cos(i[0]),
    "tanh": lambda i, a, o: torch.tanh(i[0]), "erf": lambda i, a, o: torch.erf(i[0]),
}


def from_numpy(function):
    def run(inputs, attrs, outputs):
        with torch.no_grad():
            results = function([torch.from_numpy(x.copy()) for x in inputs], attrs, outputs)
        return results.contiguous().numpy()
    return run


def effective():
    state = {"threads": torch.get_num_threads(), "python": sys.version.split()[0],
             "deterministic": torch.are_deterministic_algorithms_enabled()}
    if hasattr(torch.backends, "cpu") and hasattr(torch.backends.cpu, "get_cpu_capability"):
        state["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
    state["mkldnn"] = torch.backends.mkldnn.is_available()
    return state


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    serve(Adapter("torch", torch.__version__, {op: from_numpy(f) for op, f in OPS.items()}, effective=effective))
