"""numpy as a subject: reductions, products, convolutions, pooling, norms, softmax, GELU, elementary functions, training."""
import ctypes
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy

import numpy_tape as tape
from conform_adapter import Adapter, NotOffered, serve
from conform_training import operations, optimized
from numpy_tape import Node


def geometry(attrs):
    return [int(attrs.get(key, word)) for key, word in
            (("stride", 1), ("pad", 0), ("dilation", 1), ("groups", 1))]


def windows(x, attrs, r, s, outside=0):
    """Views of x: [n, c, p, q, r, s]."""
    stride, pad, dilation, _ = geometry(attrs)
    x = numpy.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=outside)
    n, c, h, w = x.shape
    p, q = (h - (r - 1) * dilation - 1) // stride + 1, (w - (s - 1) * dilation - 1) // stride + 1
    a, b, d, e = x.strides
    return numpy.lib.stride_tricks.as_strided(
        x, (n, c, p, q, r, s), (a, b, d * stride, e * stride, d * dilation, e * dilation), writeable=False)


def spread_back(parts, attrs, shape):
    """The sum of parts [n, c, p, q, r, s] at the pixels of x, of the given shape, that their windows hold."""
    stride, pad, dilation, _ = geometry(attrs)
    n, c, h, w = shape
    dx = numpy.zeros((n, c, h + 2 * pad, w + 2 * pad), parts.dtype)
    p, q, rows, columns = parts.shape[2:]
    for r in range(rows):
        for s in range(columns):
            dx[:, :, r * dilation:r * dilation + stride * (p - 1) + 1:stride,
               s * dilation:s * dilation + stride * (q - 1) + 1:stride] += parts[..., r, s]
    return dx[:, :, pad:pad + h, pad:pad + w]


def plain_layout(attrs):
    if attrs.get("layout", "nchw") != "nchw" or int(attrs.get("groups", 1)) != 1:
        raise NotOffered("numpy's convolutions and pools are of one group in nchw")


def conv2d_fwd(inputs, attrs, outputs):
    plain_layout(attrs)
    x, w = inputs
    return numpy.tensordot(windows(x, attrs, *w.shape[2:]), w, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)


def conv2d_bwd_filter(inputs, attrs, outputs):
    plain_layout(attrs)
    x, dy = inputs
    r, s = outputs[0][2][2:]
    view = windows(x, attrs, r, s)[:, :, :dy.shape[2], :dy.shape[3]]
    return numpy.tensordot(dy, view, ((0, 2, 3), (0, 2, 3)))


def conv2d_bwd_data(inputs, attrs, outputs):
    plain_layout(attrs)
    dy, w = inputs
    terms = numpy.tensordot(dy, w, ((1,), (0,)))  # [n, p, q, c, r, s]
    return spread_back(terms.transpose(0, 3, 1, 2, 4, 5), attrs, outputs[0][2])


def pool_windows(x, attrs, outside):
    plain_layout(attrs)
    return windows(x, attrs, int(attrs["r"]), int(attrs["s"]), outside)


def maxpool_fwd(inputs, attrs, outputs):
    return pool_windows(inputs[0], attrs, -numpy.inf).max(axis=(4, 5))


def maxpool_bwd(inputs, attrs, outputs):
    x, dy = inputs
    view = pool_windows(x, attrs, -numpy.inf)
    flat = view.reshape(view.shape[:4] + (-1,))
    chosen = numpy.arange(flat.shape[4]) == flat.argmax(axis=4)[..., None]
    return spread_back(numpy.where(chosen, dy[..., None], dy.dtype.type(0)).reshape(view.shape), attrs, x.shape)


def divisors(attrs, dtype, shape):
    if attrs.get("divisor", "taps") == "window":
        return dtype.type(int(attrs["r"]) * int(attrs["s"]))
    return pool_windows(numpy.ones(shape, dtype), attrs, 0).sum(axis=(4, 5))


def avgpool_fwd(inputs, attrs, outputs):
    x = inputs[0]
    return pool_windows(x, attrs, 0).sum(axis=(4, 5)) / divisors(attrs, x.dtype, x.shape)


def avgpool_bwd(inputs, attrs, outputs):
    dy, shape = inputs[0], outputs[0][2]
    parts = (dy / divisors(attrs, dy.dtype, shape))[..., None, None]
    return spread_back(numpy.broadcast_to(parts, dy.shape + (int(attrs["r"]), int(attrs["s"]))), attrs, shape)


def slopes(make, values, slope):
    """Gradients of make(*values), given the slope of its result."""
    nodes = [Node(value) for value in values]
    tape.differentiate(make(*nodes), slope)
    return [node.slope for node in nodes]


def batchnorm(x, gamma, beta):
    return tape.normalized(x, gamma, beta, (0, 2, 3), (1, -1, 1, 1))


def norm_fwd(make):
    return lambda i, a, o: make(*(Node(x) for x in i)).value


def norm_bwd(make):
    def run(inputs, attrs, outputs):
        x, gamma, dy = inputs
        return slopes(make, (x, gamma, numpy.zeros_like(gamma)), dy)
    return run


def softmax_bwd(inputs, attrs, outputs):
    y, dy = inputs
    return y * (dy - (y * dy).sum(axis=1, keepdims=True))


def crossentropy_bwd(inputs, attrs, outputs):
    x, t = inputs
    return slopes(tape.loss, (x, t), numpy.ones(len(x), x.dtype))[0]


def gelu_fwd(inputs, attrs, outputs):
    """numpy has no erf: the C library's, by Python's math, in double."""
    x = inputs[0]
    erf = numpy.array([math.erf(v) for v in (x.astype("f8") / math.sqrt(2)).tolist()])
    return (0.5 * x * (1 + erf)).astype(x.dtype)


def gelu_bwd(inputs, attrs, outputs):
    x, dy = inputs
    erf = numpy.array([math.erf(v) for v in (x.astype("f8") / math.sqrt(2)).tolist()])
    phi = numpy.exp(-0.5 * (x * x)) * x.dtype.type(1 / math.sqrt(2 * math.pi))
    return dy * ((0.5 * (1 + erf)).astype(x.dtype) + x * phi)


def elementwise(function):
    return lambda inputs, attrs, outputs: function(inputs[0])


class Numpy:
    """numpy as conform_training wants it."""

    take = staticmethod(tape.taken)
    product, plus, scaled, relu, masked = map(staticmethod, (tape.product, tape.plus, tape.scaled, tape.relu, tape.masked))
    transposed, reshaped, softmax, normalized = map(staticmethod, (tape.transposed, tape.reshaped, tape.softmax, tape.normalized))
    looked_up, averaged, loss, total = map(staticmethod, (tape.looked_up, tape.averaged, tape.loss, tape.total))
    weights = constant = staticmethod(Node)

    @staticmethod
    def linear(x, w, b):
        return tape.plus(tape.product(x, w), b)

    @staticmethod
    def convolved(x, w, b):
        attrs = {"pad": 1}

        def backward(d):
            return (conv2d_bwd_data((d, w.value), attrs, [(0, 0, x.value.shape)]),
                    conv2d_bwd_filter((x.value, d), attrs, [(0, 0, w.value.shape)]), d.sum(axis=(0, 2, 3)))
        return Node(conv2d_fwd((x.value, w.value), attrs, None) + b.value[:, None, None], (x, w, b), backward)

    @staticmethod
    def pooled(x):
        attrs = {"r": 2, "s": 2, "stride": 2}
        return Node(maxpool_fwd((x.value,), attrs, None), (x,), lambda d: (maxpool_bwd((x.value, d), attrs, None),))

    @staticmethod
    def gradient(total, weights):
        tape.differentiate(total, total.value.dtype.type(1))
        return weights.slope

    norm = staticmethod(numpy.linalg.norm)

    @staticmethod
    def array(x):
        return x.value if isinstance(x, Node) else numpy.asarray(x)

    @staticmethod
    def update(weights, state, gradient, rates, hyper, optimizer):
        w, m, v = optimized(numpy.sqrt, weights, state, gradient, rates, hyper, optimizer)
        return w, numpy.stack([m, v])


OPS = {
    "sum": lambda i, a, o: numpy.sum(i[0], axis=1, dtype=i[0].dtype),
    "asum": lambda i, a, o: numpy.sum(numpy.abs(i[0]), axis=1, dtype=i[0].dtype),
    "dot": lambda i, a, o: numpy.array([numpy.dot(x, y) for x, y in zip(*i)], i[0].dtype),
    "nrm2": lambda i, a, o: numpy.array([numpy.linalg.norm(x) for x in i[0]], i[0].dtype),
    "gemv": lambda i, a, o: i[0] @ i[1],
    "gemm": lambda i, a, o: i[0] @ i[1],
    "conv2d_fwd": conv2d_fwd, "conv2d_bwd_data": conv2d_bwd_data, "conv2d_bwd_filter": conv2d_bwd_filter,
    "maxpool_fwd": maxpool_fwd, "maxpool_bwd": maxpool_bwd, "avgpool_fwd": avgpool_fwd, "avgpool_bwd": avgpool_bwd,
    "bias_fwd": lambda i, a, o: i[0] + i[1][:, None, None],
    "bias_bwd": lambda i, a, o: i[0].sum(axis=(0, 2, 3)),
    "relu_fwd": elementwise(lambda x: numpy.maximum(x, x.dtype.type(0))),
    "relu_bwd": lambda i, a, o: numpy.where(i[0] > 0, i[1], i[1].dtype.type(0)),
    "batchnorm_fwd": norm_fwd(batchnorm), "batchnorm_bwd": norm_bwd(batchnorm),
    "layernorm_fwd": norm_fwd(tape.normalized), "layernorm_bwd": norm_bwd(tape.normalized),
    "softmax_fwd": elementwise(lambda x: tape.softmax(Node(x)).value), "softmax_bwd": softmax_bwd,
    "crossentropy_fwd": lambda i, a, o: tape.loss(Node(i[0]), Node(i[1])).value, "crossentropy_bwd": crossentropy_bwd,
    "gelu_fwd": gelu_fwd, "gelu_bwd": gelu_bwd,
    "exp": elementwise(numpy.exp), "log": elementwise(numpy.log), "sin": elementwise(numpy.sin),
    "cos": elementwise(numpy.cos), "tanh": elementwise(numpy.tanh),
    **operations(Numpy),
}


def bundled_blas():
    """The OpenBLAS that numpy has loaded, and the words around its names."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        paths = {line.split(None, 5)[5].strip() for line in maps if "openblas" in line}
    for path in sorted(paths):
        library = ctypes.CDLL(path)
        for prefix in ("", "scipy_"):
            for suffix in ("", "64_", "_64"):
                name = prefix + "openblas_get_config" + suffix
                if hasattr(library, name):
                    return path, library, prefix, suffix
    return None


def effective():
    state = {"python": sys.version.split()[0]}
    try:
        numpy.dot(numpy.ones(2), numpy.ones(2))
        core = sys.modules.get("numpy._core._multiarray_umath") or sys.modules.get("numpy.core._multiarray_umath")
        state["cpu"] = " ".join(k for k, v in sorted(core.__cpu_features__.items()) if v)
    except AttributeError:
        pass
    found = bundled_blas()
    if found:
        path, library, prefix, suffix = found
        for key, name, kind in (("openblas", "get_config", ctypes.c_char_p),
                                ("coretype", "get_corename", ctypes.c_char_p),
                                ("threads", "get_num_threads", ctypes.c_int)):
            function = getattr(library, prefix + "openblas_" + name + suffix)
            function.restype = kind
            value = function()
            state[key] = value.decode() if isinstance(value, bytes) else value
    return state


if __name__ == "__main__":
    numpy.seterr(all="ignore")  # special values are inputs like any other
    serve(Adapter("numpy", numpy.__version__, OPS, effective=effective))
