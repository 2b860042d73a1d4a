"""adapter_training.py ADAPTERS: the numpy adapter's training steps go down the slope of the loss that they report.

The slope of one step of plain gradient descent is the weights' difference; along a random direction it has to be the
central difference of the losses. A backward pass that lies must be found.
"""
import sys

sys.path.insert(0, sys.argv[1])
import numpy

import conform_training
import numpy_adapter
from conform_training import MODELS, train

SIZES = {"train_logreg": 650, "train_mlp": 64 * 6 + 6 + 60 + 10, "train_cnn": 9 * 6 + 6 + 9 * 36 + 6 + 16 * 60 + 10,
         "train_block": 65 * 6 + 16 * 6 + 12 + 4 * 36 + 12 + 6 * 12 + 12 + 12 * 6 + 6 + 60 + 10}


def operands(model, weights):
    random = numpy.random.RandomState(7)
    images = random.randint(0, 17, (9, 64)) / 16
    width = {"train_logreg": 0, "train_mlp": 6, "train_cnn": 96, "train_block": 16 * 12}[model]
    plan = numpy.zeros(16, "i8")
    plan[[2, 3, 4, 5, 6]] = 6, 1, 2, -1, -1
    hyper = numpy.array([0, 1, 0, 1, 1e-8, 0, 0, 1 / 0.9, 1 / 6, 6 ** -0.5, 1 / 16, 1 / 3])
    return [images, random.randint(0, 10, 9).astype("i4"), random.randint(0, 9, (2, 3)).astype("i4"),
            (random.rand(2, 3, width) < 0.9).astype("u1"), random.randint(0, 9, (2, 3)).astype("i4"),
            numpy.array([[1.0, 1, 1]]), hyper, weights, numpy.zeros((2, len(weights))), numpy.arange(3, dtype="i4"), plan]


def outputs(n):
    return [("y0", "I64", (1, 8)), ("y1", "F64", (1,)), ("y2", "F64", (12,)), ("y3", "F64", (n,)), ("y4", "F64", (2, n)),
            ("y5", "F64", (0, n)), ("y6", "I64", (0, 39)), ("y7", "F64", (0,))]


def slopes(model):
    """The slope that the step went down, and the central difference, along one direction."""
    random = numpy.random.RandomState(11)
    n = SIZES[model]
    weights, direction = random.randn(n) * 0.3, random.randn(n)

    def step(w):
        results = train(numpy_adapter.Numpy, MODELS[model], operands(model, w), outputs(n))
        return results[1][0], results[3]
    _, after = step(weights)
    h = 1e-5
    return (weights - after) @ direction, (step(weights + h * direction)[0] - step(weights - h * direction)[0]) / (2 * h)


def agree(model):
    a, b = slopes(model)
    return abs(a - b) <= 1e-4 * (abs(a) + abs(b))


failed = [model for model in MODELS if not agree(model)]
honest = numpy_adapter.Numpy.relu


def straight(x):
    """relu whose gradient passes everywhere: the liar."""
    return numpy_adapter.Node(numpy.maximum(x.value, 0), (x,), lambda d: (d,))


numpy_adapter.Numpy.relu = staticmethod(straight)
missed = [model for model in MODELS if model != "train_logreg" and agree(model)]
numpy_adapter.Numpy.relu = staticmethod(honest)
for model in failed:
    print("adapter_training: %s goes down %.17g where its loss slopes %.17g" % ((model,) + slopes(model)))
for model in missed:
    print("adapter_training: a wrong gradient of %s is not found" % model)
sys.exit(1 if failed or missed else 0)
