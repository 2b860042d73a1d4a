"""Training steps for adapters: the loop over steps, the models and the chain of hashes, written once.

Operands, outputs, models and stages are those of harness/base/training.h. What computes is a framework:

    weights(flat)           the flat vector of weights (a numpy array) as something that `take` cuts up
    take(weights, at, shape)
    constant(array)         a numpy array as the framework's tensor
    linear(x, w, b)  product(a, b)  plus(a, b)  scaled(x, factor)  relu(x)  masked(x, mask, factor)
    transposed(x)  reshaped(x, shape)  convolved(x, w, b)  pooled(x)  softmax(x)  normalized(x, gamma, beta)
    looked_up(table, rows)  averaged(x)            [.., n, c] -> [.., c]
    loss(logits, target)    the rows' losses
    total(losses)  gradient(total, weights)  norm(flat)  array(x)
    update(...)             elementwise arithmetic of the optimizer, on numpy arrays

`array` gives back numpy. Each call that makes activations is folded into their hash in the order of the model.
"""
import numpy

from conform_adapter import NotOffered
from conform_hash import hash_of

PIXELS, CLASSES, TOKENS, VOCABULARY = 64, 10, 16, 65
(BETA1, ONE_MINUS_BETA1, BETA2, ONE_MINUS_BETA2, EPSILON, DECAY, CLIP, KEEP_SCALE, ROW_WEIGHT, QUERY_SCALE, TOKEN_WEIGHT,
 HELD_WEIGHT) = range(12)
START, OPTIMIZER, HIDDEN, LAYERS, ACCUMULATE, DETAIL, CAPTURE, SNAPSHOTS, LINK = range(9)
RNG, BATCH, ACTIVATIONS, LOSS, GRADIENTS, OPTIMIZER_STATE, WEIGHTS, CHAIN, N_STAGES = range(9)
SGD, ADAM, ADAMW = range(3)


class Pass:
    """One pass over one batch: the framework, the weights, and what it has made so far."""

    def __init__(self, framework, flat, hyper, masks):
        self.f, self.flat, self.at, self.hyper, self.masks = framework, framework.weights(flat), 0, hyper, masks
        self.made = []

    def take(self, *shape):
        found = self.f.take(self.flat, self.at, shape)
        self.at += int(numpy.prod(shape))
        return found

    def keep(self, x):
        self.made.append(x)
        return x

    def drop(self, x, shape, first=0):
        """Units first.. of each row's masks; shape: [rows, units]."""
        if self.masks is None:
            return x
        mask = self.masks[:, first:first + int(numpy.prod(shape[1:]))].reshape(shape)
        return self.f.masked(x, mask, self.hyper[KEEP_SCALE])

    def linear(self, x, n_in, n_out):
        w, b = self.take(n_in, n_out), self.take(n_out)
        return self.keep(self.f.linear(x, w, b))


def logreg(p, x, hidden, layers):
    return p.linear(p.f.constant(x), PIXELS, CLASSES)


def mlp(p, x, hidden, layers):
    h, width = p.f.constant(x), PIXELS
    for layer in range(layers):
        h = p.drop(p.keep(p.f.relu(p.linear(h, width, hidden))), (len(x), hidden), layer * hidden)
        width = hidden
    return p.linear(h, width, CLASSES)


def cnn(p, x, hidden, layers):
    f, n = p.f, len(x)
    h, channels = f.constant(x.reshape(n, 1, 8, 8)), 1
    for stage in range(2):
        w, b = p.take(hidden, channels, 3, 3), p.take(hidden)
        h = p.keep(f.relu(p.keep(f.convolved(h, w, b))))
        if stage == 0:
            h, channels = p.keep(f.pooled(h)), hidden
    h = p.drop(f.reshaped(h, (n, 16 * hidden)), (n, 16 * hidden))
    return p.linear(h, 16 * hidden, CLASSES)


def tokens_of(x):
    """Sums of the 2x2 patches in sixteenths: exact, 0..64; anything else is 0, as in the kernels."""
    sums = x.reshape(-1, 4, 2, 4, 2).sum(axis=(2, 4)).reshape(-1, TOKENS)
    return (16 * numpy.where((sums >= 0) & (sums <= 4), sums, 0)).astype(numpy.int64)


def block(p, x, hidden, layers):
    f, n = p.f, len(x)
    stream = p.keep(f.looked_up(p.take(VOCABULARY, hidden), tokens_of(x)))  # [n, 16, H]
    stream = f.plus(stream, p.take(TOKENS, hidden))
    h = p.keep(f.normalized(stream, p.take(hidden), p.take(hidden)))
    query, key, value, out = (p.take(hidden, hidden) for _ in range(4))
    q, k, v = (p.keep(f.product(h, w)) for w in (query, key, value))
    scores = f.scaled(p.keep(f.product(q, f.transposed(k))), p.hyper[QUERY_SCALE])
    mixed = p.keep(f.product(p.keep(f.softmax(scores)), v))
    stream = f.plus(p.keep(f.product(mixed, out)), stream)
    h = p.keep(f.normalized(stream, p.take(hidden), p.take(hidden)))
    h = p.keep(f.relu(p.linear(h, hidden, 2 * hidden)))
    h = p.drop(h, (n, TOKENS, 2 * hidden))
    stream = f.plus(p.linear(h, 2 * hidden, hidden), stream)
    return p.linear(p.keep(f.averaged(stream)), hidden, CLASSES)


MODELS = {"train_logreg": logreg, "train_mlp": mlp, "train_cnn": cnn, "train_block": block}


def shifted(images, shifts):
    """Moves each picture by whole pixels; what comes in from outside is 0."""
    padded = numpy.pad(images.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    return numpy.stack([picture[2 - s // 3:10 - s // 3, 2 - s % 3:10 - s % 3]
                        for picture, s in zip(padded, shifts)]).reshape(-1, PIXELS)


class Run:
    """One case: its operands, and the stages of the step in hand."""

    def __init__(self, framework, model, inputs):
        (self.images, self.labels, self.batches, self.masks, self.shifts, self.rates, self.hyper, weights, state, self.held_out,
         self.plan) = inputs
        self.f, self.model, self.real = framework, model, self.images.dtype
        self.weights, self.state = weights.copy(), state.copy()
        self.stage = [0] * N_STAGES

    def fold(self, stage, array):
        pair = self.stage[stage].to_bytes(8, "little") + hash_of(numpy.ascontiguousarray(array).tobytes()).to_bytes(8, "little")
        self.stage[stage] = hash_of(pair)

    def gather(self, rows, shifts, weight):
        x = self.images[rows] if shifts is None else shifted(self.images[rows], shifts)
        target = numpy.zeros((len(rows), CLASSES), self.real)
        target[numpy.arange(len(rows)), self.labels[rows]] = weight
        return x, target

    def forward(self, x, target, masks):
        p = Pass(self.f, self.weights, self.hyper, masks)
        logits = self.model(p, x, int(self.plan[HIDDEN]), int(self.plan[LAYERS]))
        losses = self.f.loss(logits, self.f.constant(target))
        return p, logits, losses

    def micro_batch(self, m):
        """Loss and gradient of one micro-batch."""
        masks = self.masks[m] if self.masks.shape[2] else None
        shifts = self.shifts[m] if self.shifts.shape[1] else None
        if masks is not None:
            self.fold(RNG, masks)
        if shifts is not None:
            self.fold(RNG, shifts)
        rows = self.batches[m]
        x, target = self.gather(rows, shifts, self.hyper[ROW_WEIGHT])
        for array in (rows, x, target):
            self.fold(BATCH, array)
        p, _, losses = self.forward(x, target, masks)
        for made in p.made + [losses]:
            self.fold(ACTIVATIONS, self.f.array(made))
        total = self.f.total(losses)
        gradient = self.f.array(self.f.gradient(total, p.flat))
        return self.f.array(total).reshape(()), gradient

    def step(self, s):
        chain = self.stage[CHAIN]
        self.stage = [0] * (N_STAGES - 1) + [chain]
        loss, gradient = self.real.type(0), None
        for a in range(int(self.plan[ACCUMULATE])):
            part, slope = self.micro_batch(s * int(self.plan[ACCUMULATE]) + a)
            loss = self.real.type(loss + part)
            gradient = slope if gradient is None else gradient + slope
        if self.hyper[CLIP] > 0:
            norm = self.f.array(self.f.norm(gradient)).reshape(())
            if norm > self.hyper[CLIP]:
                gradient = gradient * self.real.type(self.hyper[CLIP] / norm)
        self.fold(LOSS, numpy.array([loss], self.real))
        self.fold(GRADIENTS, gradient)
        self.weights, self.state = self.f.update(self.weights, self.state, gradient, self.rates[s], self.hyper,
                                                 int(self.plan[OPTIMIZER]))
        self.fold(OPTIMIZER_STATE, self.state)
        self.fold(WEIGHTS, self.weights)
        self.stage[CHAIN] = hash_of(b"".join(x.to_bytes(8, "little") for x in self.stage))
        return loss

    def metrics(self):
        """Mean loss, share of right answers, recall of each class; on the held-out rows."""
        x, target = self.gather(self.held_out, None, self.hyper[HELD_WEIGHT])
        _, logits, losses = self.forward(x, target, None)
        labels, found = self.labels[self.held_out], numpy.argmax(self.f.array(logits), axis=1)
        right = found == labels
        recall = [numpy.divide(right[labels == c].sum(), max(1, (labels == c).sum())) for c in range(CLASSES)]
        return [self.f.array(self.f.total(losses)).reshape(()), right.sum() / len(labels)] + recall


def train(framework, model, inputs, outputs):
    run, plan = Run(framework, model, inputs), inputs[10]
    if plan[DETAIL] >= 0 or plan[CAPTURE] >= 0:
        raise NotOffered("an adapter does not list the calls of a step")
    hashes, losses, metrics, _, _, snapshots, calls, captured = (numpy.zeros(shape, numpy.dtype(
        {"F64": "f8", "F32": "f4", "I64": "i8"}[dtype])) for _, dtype, shape in outputs)
    run.stage[CHAIN] = int(plan[LINK]) & (1 << 64) - 1
    for s in range(int(plan[START]), run.rates.shape[0]):
        losses[s] = run.step(s)
        hashes[s] = numpy.array(run.stage, numpy.uint64).view(numpy.int64)
        for k in range(int(plan[SNAPSHOTS])):
            if s + 1 == 1 << k:
                snapshots[k] = run.weights
    metrics[:] = run.metrics()
    return [hashes, losses, metrics, run.weights, run.state, snapshots, calls, captured]


def operations(framework):
    """The ops of an adapter: {"train_mlp": function, ...}."""
    return {op: lambda i, a, o, model=model: train(framework, model, i, o) for op, model in MODELS.items()}


def optimized(root, weights, state, gradient, rates, hyper, optimizer):
    """The optimizer by single operations of IEEE arithmetic, on the framework's own arrays; root: its square root."""
    w, (m, v), g = weights, state, gradient
    if optimizer == SGD:
        m = hyper[BETA1] * m + (g + hyper[DECAY] * w)
        return w - rates[0] * m, m, 0 * v
    if optimizer == ADAMW:
        w = w - (rates[0] * hyper[DECAY]) * w
    else:
        g = g + hyper[DECAY] * w
    m = hyper[BETA1] * m + hyper[ONE_MINUS_BETA1] * g
    v = hyper[BETA2] * v + hyper[ONE_MINUS_BETA2] * (g * g)
    return w - rates[0] * ((m / rates[1]) / (root(v / rates[2]) + hyper[EPSILON])), m, v
