"""numpy as a subject: reductions, products, convolutions, softmax, layer norm, elementary functions."""
import ctypes
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import numpy

from conform_adapter import Adapter, EPSILON, NotOffered, serve


def geometry(attrs):
    return [int(attrs.get(key, word)) for key, word in
            (("stride", 1), ("pad", 0), ("dilation", 1), ("groups", 1))]


def windows(x, attrs, r, s):
    """Views of x: [n, c, p, q, r, s]."""
    stride, pad, dilation, _ = geometry(attrs)
    x = numpy.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    n, c, h, w = x.shape
    p, q = (h - (r - 1) * dilation - 1) // stride + 1, (w - (s - 1) * dilation - 1) // stride + 1
    a, b, d, e = x.strides
    return numpy.lib.stride_tricks.as_strided(
        x, (n, c, p, q, r, s), (a, b, d * stride, e * stride, d * dilation, e * dilation), writeable=False)


def plain_layout(attrs):
    if attrs.get("layout", "nchw") != "nchw" or int(attrs.get("groups", 1)) != 1:
        raise NotOffered("numpy's convolution is a tensordot of one group in nchw")


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
    stride, pad, dilation, _ = geometry(attrs)
    n, c, h, width = outputs[0][2]
    terms = numpy.tensordot(dy, w, ((1,), (0,)))  # [n, p, q, c, r, s]
    dx = numpy.zeros((n, c, h + 2 * pad, width + 2 * pad), dy.dtype)
    p, q = dy.shape[2:]
    for r in range(w.shape[2]):
        for s in range(w.shape[3]):
            dx[:, :, r * dilation:r * dilation + stride * (p - 1) + 1:stride,
               s * dilation:s * dilation + stride * (q - 1) + 1:stride] += \
                terms[..., r, s].transpose(0, 3, 1, 2)
    return dx[:, :, pad:pad + h, pad:pad + width]


def softmax_fwd(inputs, attrs, outputs):
    x = inputs[0]
    y = numpy.exp(x - x.max(axis=1, keepdims=True))
    return y / y.sum(axis=1, keepdims=True)


def layernorm_fwd(inputs, attrs, outputs):
    x, gamma, beta = inputs
    away = x - x.mean(axis=1, keepdims=True)
    sigma = numpy.sqrt((away * away).mean(axis=1, keepdims=True) + x.dtype.type(EPSILON))
    return away / sigma * gamma + beta


def elementwise(function):
    return lambda inputs, attrs, outputs: function(inputs[0])


OPS = {
    "sum": lambda i, a, o: numpy.sum(i[0], axis=1, dtype=i[0].dtype),
    "asum": lambda i, a, o: numpy.sum(numpy.abs(i[0]), axis=1, dtype=i[0].dtype),
    "dot": lambda i, a, o: numpy.array([numpy.dot(x, y) for x, y in zip(*i)], i[0].dtype),
    "nrm2": lambda i, a, o: numpy.array([numpy.linalg.norm(x) for x in i[0]], i[0].dtype),
    "gemv": lambda i, a, o: i[0] @ i[1],
    "gemm": lambda i, a, o: i[0] @ i[1],
    "conv2d_fwd": conv2d_fwd, "conv2d_bwd_data": conv2d_bwd_data, "conv2d_bwd_filter": conv2d_bwd_filter,
    "softmax_fwd": softmax_fwd, "layernorm_fwd": layernorm_fwd,
    "relu_fwd": lambda i, a, o: numpy.maximum(i[0], i[0].dtype.type(0)),
    "exp": elementwise(numpy.exp), "log": elementwise(numpy.log), "sin": elementwise(numpy.sin),
    "cos": elementwise(numpy.cos), "tanh": elementwise(numpy.tanh),
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
    serve(Adapter("numpy", numpy.__version__, OPS, effective=effective))
