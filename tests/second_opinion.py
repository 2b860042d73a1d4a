"""A second opinion on train_mlp with Adam: second_opinion.py INPUTS OUTPUT reads the operands of a
case (x0 .. x10, harness/base/training.h) from one safetensors file, trains with NumPy in their own
type, and writes the weights after steps 1, 2, 4, ... to another."""
import json
import struct
import sys

import numpy as np

TYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64, "U8": np.uint8}


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = entry["data_offsets"]
            flat = np.frombuffer(data[8 + length + first : 8 + length + last], TYPES[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


def write(path, name, array):
    kind = {np.dtype(np.float32): "F32", np.dtype(np.float64): "F64"}[array.dtype]
    header = json.dumps({name: {"dtype": kind, "shape": list(array.shape),
                                "data_offsets": [0, array.nbytes]}})
    header += " " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header.encode() + array.tobytes())


def cut(weights, hidden):
    """Views of W1 [64,H], b1 [H], W2 [H,10], b2 [10]."""
    sizes = [(64, hidden), (hidden,), (hidden, 10), (10,)]
    views, at = [], 0
    for size in sizes:
        n = int(np.prod(size))
        views.append(weights[at : at + n].reshape(size))
        at += n
    return views


def gradient(weights, x, target, mask, scale, hidden):
    w1, b1, w2, b2 = cut(weights, hidden)
    z = x @ w1 + b1
    h = np.maximum(z, 0) * mask * scale
    logits = h @ w2 + b2
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    dlogits = p * target.sum(axis=1, keepdims=True) - target
    dh = (dlogits @ w2.T) * mask * scale
    dz = dh * (z > 0)
    parts = [x.T @ dz, dz.sum(axis=0), h.T @ dlogits, dlogits.sum(axis=0)]
    return np.concatenate([part.ravel() for part in parts])


def train(t):
    images, labels, batches, masks, rates, hyper, weights = (
        t["x0"], t["x1"], t["x2"], t["x3"], t["x5"], t["x6"], t["x7"].copy())
    beta1, rest1, beta2, rest2, epsilon = hyper[:5]
    scale, row_weight, hidden = hyper[7], hyper[8], int(t["x10"][2])
    m, v = t["x8"].copy()
    kept = []
    for step in range(len(rates)):
        rows = batches[step]
        target = np.zeros((len(rows), 10), images.dtype)
        target[np.arange(len(rows)), labels[rows]] = row_weight
        mask = masks[step].astype(images.dtype) if masks.size else np.ones(1, images.dtype)
        g = gradient(weights, images[rows], target, mask, scale, hidden)
        m = beta1 * m + rest1 * g
        v = beta2 * v + rest2 * g * g
        weights = weights - rates[step][0] * (m / rates[step][1]) / (
            np.sqrt(v / rates[step][2]) + epsilon)
        if (step + 1) & step == 0:
            kept.append(weights)
    return np.stack(kept)


write(sys.argv[2], "weights", train(read(sys.argv[1])))
