"""Gradients for numpy: what an operation made, and how its slope goes back to what it was made of.

Reverse accumulation (Griewank and Walther, Evaluating Derivatives, 2008, section 3.2). A backward function takes the
slope of the result and gives one for each operand that wants it.
"""
import numpy

from conform_adapter import EPSILON


class Node:
    def __init__(self, value, operands=(), backward=None):
        self.value, self.operands, self.backward, self.slope = value, operands, backward, None


def differentiate(node, slope):
    """Slopes of all that node was made of, in the reverse of the order in which it was made."""
    order, seen = [], set()

    def visit(one):
        if id(one) not in seen:
            seen.add(id(one))
            for operand in one.operands:
                visit(operand)
            order.append(one)
    visit(node)
    node.slope = slope
    for one in reversed(order):
        if one.backward is None or one.slope is None:
            continue
        for operand, part in zip(one.operands, one.backward(one.slope)):
            operand.slope = part if operand.slope is None else operand.slope + part


def reduced(slope, shape):
    """The slope of an operand that was spread over more rows."""
    while slope.ndim > len(shape):
        slope = slope.sum(axis=0)
    return slope


def swap(x):
    return numpy.swapaxes(x, -1, -2)


def product(a, b):
    """a [.., m, k], b [k, n] or [.., k, n]."""
    def backward(d):
        rows = (swap(a.value.reshape(-1, a.value.shape[-1])) @ d.reshape(-1, d.shape[-1])
                if b.value.ndim == 2 else swap(a.value) @ d)
        return d @ swap(b.value), rows
    return Node(a.value @ b.value, (a, b), backward)


def plus(a, b):
    return Node(a.value + b.value, (a, b), lambda d: (reduced(d, a.value.shape), reduced(d, b.value.shape)))


def scaled(x, factor):
    return Node(x.value * factor, (x,), lambda d: (d * factor,))


def relu(x):
    return Node(numpy.maximum(x.value, x.value.dtype.type(0)), (x,),
                lambda d: (numpy.where(x.value > 0, d, d.dtype.type(0)),))


def masked(x, mask, factor):
    def kept(d):
        return numpy.where(mask, d * factor, d.dtype.type(0))
    return Node(kept(x.value), (x,), lambda d: (kept(d),))


def transposed(x):
    return Node(swap(x.value), (x,), lambda d: (swap(d),))


def reshaped(x, shape):
    return Node(x.value.reshape(shape), (x,), lambda d: (d.reshape(x.value.shape),))


def averaged(x):
    n = x.value.dtype.type(x.value.shape[-2])
    return Node(x.value.mean(axis=-2), (x,),
                lambda d: (numpy.broadcast_to((d / n)[..., None, :], x.value.shape).copy(),))


def looked_up(table, rows):
    def backward(d):
        slope = numpy.zeros_like(table.value)
        numpy.add.at(slope, rows, d)
        return (slope,)
    return Node(table.value[rows], (table,), backward)


def taken(flat, at, shape):
    n = int(numpy.prod(shape))

    def backward(d):
        slope = numpy.zeros_like(flat.value)
        slope[at:at + n] = d.reshape(-1)
        return (slope,)
    return Node(flat.value[at:at + n].reshape(shape), (flat,), backward)


def softmax(x):
    e = numpy.exp(x.value - x.value.max(axis=-1, keepdims=True))
    y = e / e.sum(axis=-1, keepdims=True)
    return Node(y, (x,), lambda d: (y * (d - (y * d).sum(axis=-1, keepdims=True)),))


def normalized(x, gamma, beta, axes=(-1,), shape=None):
    """Mean 0 and variance 1 over axes; gamma and beta spread to `shape`."""
    def spread(v):
        return v if shape is None else v.reshape(shape)
    away = x.value - x.value.mean(axis=axes, keepdims=True)
    sigma = numpy.sqrt((away * away).mean(axis=axes, keepdims=True) + x.value.dtype.type(EPSILON))
    z = away / sigma
    over = tuple(i for i in range(x.value.ndim) if spread(gamma.value).ndim + i < x.value.ndim
                 or spread(gamma.value).shape[i - x.value.ndim] == 1)

    def backward(d):
        g = d * spread(gamma.value)
        dx = (g - g.mean(axis=axes, keepdims=True) - z * (g * z).mean(axis=axes, keepdims=True)) / sigma
        return (dx, (d * z).sum(axis=over).reshape(gamma.value.shape), d.sum(axis=over).reshape(beta.value.shape))
    return Node(z * spread(gamma.value) + spread(beta.value), (x, gamma, beta), backward)


def loss(logits, target):
    """Rows' cross-entropy with weights of the classes."""
    away = logits.value - logits.value.max(axis=-1, keepdims=True)
    e = numpy.exp(away)
    total = e.sum(axis=-1, keepdims=True)
    t = target.value

    def backward(d):
        return (d[:, None] * (e / total * t.sum(axis=-1, keepdims=True) - t),)
    return Node((t * (numpy.log(total) - away)).sum(axis=-1), (logits,), backward)


def total(losses):
    return Node(numpy.sum(losses.value), (losses,), lambda d: (numpy.full_like(losses.value, d),))
