"""PyTorch on the CPU as a subject: reductions, products, convolutions, pooling, norms, softmax, GELU, elementary
functions, training."""
import ctypes
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy
import torch
from torch.nn import functional

from conform_adapter import Adapter, EPSILON, NotOffered, serve
from conform_training import operations, optimized


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
    dy, w = (image(x, attrs) for x in inputs)
    return torch.nn.grad.conv2d_input(outputs[0][2], w, dy, **options(attrs))


def conv2d_bwd_filter(inputs, attrs, outputs):
    x, dy = (image(x, attrs) for x in inputs)
    return torch.nn.grad.conv2d_weight(x, outputs[0][2], dy, **options(attrs))


def slopes(function, values, dy):
    """Gradients of function(*values), given the slope of its result, by autograd."""
    values = [x.requires_grad_() for x in values]
    with torch.enable_grad():
        return list(torch.autograd.grad(function(*values), values, dy))


def window(attrs, dilation):
    if max(int(attrs["r"]), int(attrs["s"])) < 2 * int(attrs.get("pad", 0)):
        raise NotOffered("torch pads a pool by half of its window at most")
    words = dict(kernel_size=(int(attrs["r"]), int(attrs["s"])), stride=int(attrs.get("stride", 1)),
                 padding=int(attrs.get("pad", 0)))
    if dilation:
        words["dilation"] = int(attrs.get("dilation", 1))
    elif int(attrs.get("dilation", 1)) != 1:
        raise NotOffered("torch's average pool has no dilation")
    return words


def maxpool(attrs):
    return lambda x: functional.max_pool2d(image(x, attrs), **window(attrs, True))


def avgpool(attrs):
    whole = attrs.get("divisor", "taps") == "window"
    return lambda x: functional.avg_pool2d(image(x, attrs), count_include_pad=whole, **window(attrs, False))


def avgpool_bwd(inputs, attrs, outputs):
    return slopes(avgpool(attrs), [torch.zeros(outputs[0][2], dtype=inputs[0].dtype)], inputs[0])[0]


def batchnorm(x, gamma, beta):
    return functional.batch_norm(x, None, None, gamma, beta, training=True, eps=EPSILON)


def layernorm(x, gamma, beta):
    return functional.layer_norm(x, x.shape[-1:], gamma, beta, EPSILON)


def norm_bwd(function):
    def run(inputs, attrs, outputs):
        x, gamma, dy = inputs
        return slopes(function, [x, gamma, torch.zeros_like(gamma)], dy)
    return run


def crossentropy(x, t):
    return functional.cross_entropy(x, t, reduction="none")


def crossentropy_bwd(inputs, attrs, outputs):
    x, t = inputs
    return slopes(lambda logits: crossentropy(logits, t), [x], torch.ones(len(x), dtype=x.dtype))[0]


def elementwise(function):
    return lambda i, a, o: function(i[0])


class Torch:
    """torch as conform_training wants it: what its users call, and autograd."""

    constant = staticmethod(torch.from_numpy)
    product, plus, relu, reshaped = map(staticmethod, (torch.matmul, torch.add, torch.relu, torch.reshape))
    normalized, loss, total, norm = map(staticmethod, (layernorm, crossentropy, torch.sum, lambda g: torch.from_numpy(g).norm()))

    @staticmethod
    def weights(flat):
        return torch.from_numpy(flat.copy()).requires_grad_()

    @staticmethod
    def take(weights, at, shape):
        return weights[at:at + int(numpy.prod(shape))].view(shape)

    @staticmethod
    def linear(x, w, b):
        return functional.linear(x, w.t(), b)

    @staticmethod
    def scaled(x, factor):
        return x * torch.tensor(factor)

    @staticmethod
    def masked(x, mask, factor):
        return torch.where(torch.from_numpy(mask) > 0, x * torch.tensor(factor), torch.zeros((), dtype=x.dtype))

    @staticmethod
    def transposed(x):
        return x.transpose(-1, -2)

    @staticmethod
    def convolved(x, w, b):
        return functional.conv2d(x, w, b, padding=1)

    @staticmethod
    def pooled(x):
        return functional.max_pool2d(x, 2)

    @staticmethod
    def softmax(x):
        return torch.softmax(x, -1)

    @staticmethod
    def looked_up(table, rows):
        return functional.embedding(torch.from_numpy(rows), table)

    @staticmethod
    def averaged(x):
        return x.mean(-2)

    @staticmethod
    def gradient(total, weights):
        return torch.autograd.grad(total, weights)[0]

    @staticmethod
    def array(x):
        return x.detach().contiguous().numpy()

    @staticmethod
    def update(weights, state, gradient, rates, hyper, optimizer):
        arrays = [torch.from_numpy(numpy.ascontiguousarray(x)) for x in (weights, state, gradient, rates, hyper)]
        w, m, v = optimized(torch.sqrt, *arrays, optimizer)
        return w.numpy(), numpy.stack([m.numpy(), v.numpy()])


OPS = {
    "sum": elementwise(lambda x: x.sum(1)),
    "asum": elementwise(lambda x: x.abs().sum(1)),
    "dot": lambda i, a, o: torch.stack([torch.dot(x, y) for x, y in zip(*i)]),
    "nrm2": elementwise(lambda x: torch.linalg.vector_norm(x, dim=1)),
    "gemv": lambda i, a, o: torch.mv(i[0], i[1]),
    "gemm": lambda i, a, o: torch.mm(i[0], i[1]),
    "conv2d_fwd": conv2d_fwd, "conv2d_bwd_data": conv2d_bwd_data, "conv2d_bwd_filter": conv2d_bwd_filter,
    "maxpool_fwd": lambda i, a, o: maxpool(a)(i[0]),
    "maxpool_bwd": lambda i, a, o: slopes(maxpool(a), [i[0]], i[1])[0],
    "avgpool_fwd": lambda i, a, o: avgpool(a)(i[0]), "avgpool_bwd": avgpool_bwd,
    "bias_fwd": lambda i, a, o: i[0] + i[1][:, None, None],
    "bias_bwd": elementwise(lambda dy: dy.sum((0, 2, 3))),
    "relu_fwd": elementwise(torch.relu),
    "relu_bwd": lambda i, a, o: slopes(torch.relu, [i[0]], i[1])[0],
    "batchnorm_fwd": lambda i, a, o: batchnorm(*i), "batchnorm_bwd": norm_bwd(batchnorm),
    "layernorm_fwd": lambda i, a, o: layernorm(*i), "layernorm_bwd": norm_bwd(layernorm),
    "softmax_fwd": elementwise(lambda x: torch.softmax(x, 1)),
    "softmax_bwd": lambda i, a, o: torch.ops.aten._softmax_backward_data(i[1], i[0], 1, i[0].dtype),
    "crossentropy_fwd": lambda i, a, o: crossentropy(*i), "crossentropy_bwd": crossentropy_bwd,
    "gelu_fwd": elementwise(functional.gelu), "gelu_bwd": lambda i, a, o: slopes(functional.gelu, [i[0]], i[1])[0],
    "exp": elementwise(torch.exp), "log": elementwise(torch.log), "sin": elementwise(torch.sin),
    "cos": elementwise(torch.cos), "tanh": elementwise(torch.tanh), "erf": elementwise(torch.erf),
}


def to_torch(x):
    """bf16 travels as 16 bits."""
    return torch.from_numpy(x.copy()) if x.dtype != numpy.uint16 else torch.from_numpy(x.view("i2").copy()).view(torch.bfloat16)


def to_numpy(x):
    x = x.detach().contiguous()
    return x.view(torch.int16).numpy().view("u2") if x.dtype == torch.bfloat16 else x.numpy()


def from_numpy(function):
    def run(inputs, attrs, outputs):
        try:
            with torch.no_grad():
                results = function([to_torch(x) for x in inputs], attrs, outputs)
        except RuntimeError as error:
            if "not implemented for" in str(error):  # torch's words for a type that an operation does not take
                raise NotOffered(str(error))
            raise
        return [to_numpy(x) for x in results] if isinstance(results, list) else to_numpy(results)
    run.takes_bf16 = True
    return run


def components():
    """Versions of what is linked into torch, which no mapped file shows."""
    text = torch.__config__.show()
    patterns = {"mkl": r"Math Kernel Library Version ([0-9.]+)", "onednn": r"MKL-DNN v([0-9.]+)", "openmp": r"OpenMP ([0-9]+)"}
    found = {key: re.search(pattern, text) for key, pattern in patterns.items()}
    return {key: match.group(1) for key, match in found.items() if match}


def mkl_branch():
    """Which of MKL's conditional bitwise modes is in effect: MKL is linked into torch. None: it does not say."""
    library = os.path.join(os.path.dirname(torch.__file__), "lib", "libtorch_cpu.so")
    try:
        return ctypes.CDLL(library).mkl_serv_cbwr_get(-1)  # MKL_CBWR_ALL
    except (OSError, AttributeError):
        return None


def effective():
    state = {"threads": torch.get_num_threads(), "python": sys.version.split()[0],
             "deterministic": torch.are_deterministic_algorithms_enabled()}
    if hasattr(torch.backends, "cpu") and hasattr(torch.backends.cpu, "get_cpu_capability"):
        state["cpu_capability"] = torch.backends.cpu.get_cpu_capability()
    if hasattr(torch, "get_float32_matmul_precision"):
        state["matmul_precision"] = torch.get_float32_matmul_precision()
    branch = mkl_branch()
    if branch is not None:
        state["cbwr"] = branch
    state["mkldnn"] = torch.backends.mkldnn.is_available() and os.environ.get("CONFORM_TORCH_MKLDNN", "1") != "0"
    return state


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if os.environ.get("CONFORM_TORCH_MATMUL"):
        torch.set_float32_matmul_precision(os.environ["CONFORM_TORCH_MATMUL"])
    if os.environ.get("CONFORM_TORCH_MKLDNN") == "0":
        torch.backends.mkldnn.set_flags(False)
    ops = {op: from_numpy(function) for op, function in OPS.items()}
    serve(Adapter("torch", torch.__version__, {**ops, **operations(Torch)}, components(), effective))
