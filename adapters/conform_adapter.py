"""conform-adapter/1 in Python: what an adapter needs beside its operations.

docs/adapter.md is the protocol. An adapter is a program that calls

    serve(Adapter(name=..., version=..., components={...}, ops={"dot": function, ...},
                  effective=lambda: {...}))

where a function takes (inputs, attributes, outputs): inputs are numpy arrays in order, attributes a
dict of words, outputs a list of (name, dtype, shape); it returns one array, or a list of arrays. It
raises NotOffered when it has no such operation for these types or shapes. Anything else that it
raises is the fate `broke`. Beside the standard library only numpy is used.
"""
import json
import math
import os
import struct
import sys
import time
import traceback

import numpy

PROTOCOL = 1
REQUEST_MAX = 1 << 20
HEADER_MAX = 1 << 20
EPSILON = float.fromhex("0x1.4f8b58p-17")  # of layernorm: the float nearest to 1e-5
DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "U8": "u1"}
NAMES = {"f64": "F64", "f32": "F32", "f16": "F16", "bf16": "BF16", "i64": "I64", "i32": "I32", "u8": "U8"}


class NotOffered(Exception):
    """The library has no such operation for this type or shape."""


class Refused(Exception):
    """The request or a file makes no sense: the fate `protocol`."""


def read_safetensors(path):
    """{name: (dtype word, array)}; bf16 comes as uint16. Refuses what docs/adapter.md lists."""
    with open(path, "rb") as file:
        raw = file.read()
    if len(raw) < 8:
        raise Refused("the file of inputs is shorter than its first number")
    (length,) = struct.unpack("<Q", raw[:8])
    if length > HEADER_MAX or length > len(raw) - 8:
        raise Refused("the header of the inputs is longer than the file or than 1 MiB")
    header = json.loads(raw[8:8 + length].decode("utf-8"))
    data, found, spans = raw[8 + length:], {}, []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        kind = numpy.dtype(DTYPES[entry["dtype"]])
        if not 0 <= start <= end <= len(data) or math.prod(entry["shape"]) * kind.itemsize != end - start:
            raise Refused("the tensor %s does not fit its shape" % name)
        spans.append((start, end))
        array = numpy.frombuffer(data[start:end], kind).reshape(entry["shape"])
        found[name] = (entry["dtype"], array)
    spans.sort()
    at = 0
    for start, end in spans:
        if start != at:
            raise Refused("tensors overlap or leave a hole")
        at = end
    if at != len(data):
        raise Refused("there are bytes after the last tensor")
    return found


def write_safetensors(path, tensors):
    """tensors: a list of (name, dtype word, array). Written beside the path, then renamed."""
    header, at, parts = {}, 0, []
    for name, dtype, array in tensors:
        bits = numpy.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [at, at + len(bits)]}
        at += len(bits)
        parts.append(bits)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".tmp", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".tmp", path)


class Adapter:
    def __init__(self, name, version, ops, components=None, effective=None):
        self.name, self.version, self.ops = name, version, ops
        self.components = components or {}
        self.effective = effective or (lambda: {})

    def hello(self):
        state = {key: str(value) for key, value in self.effective().items()}
        state.update({"component.%s" % key: str(value) for key, value in self.components.items()})
        state.setdefault("device", "cpu")
        return {"protocol": PROTOCOL, "name": self.name, "version": self.version,
                "one_shot": True, "kernels": {op: ["adapter"] for op in sorted(self.ops)},
                "components": self.components, "effective": state}

    def run(self, params):
        op = params.get("op")
        function = self.ops.get(op)
        if function is None:
            raise NotOffered("%s has no operation %s" % (self.name, op))
        if not all(isinstance(params.get(key), str) for key in ("in", "out")):
            raise Refused("run needs op, in, out and outputs")
        tensors = read_safetensors(params["in"])
        inputs = [tensors["x%d" % i] for i in range(len(tensors))]
        if any(dtype == "BF16" for dtype, _ in inputs) and not getattr(function, "takes_bf16", False):
            raise NotOffered("%s has no type bf16" % self.name)
        outputs = [(o["name"], NAMES[o["dtype"]], tuple(o["shape"])) for o in params["outputs"]]
        start = time.perf_counter_ns()
        results = function([array for _, array in inputs], params.get("attrs") or {}, outputs)
        wall_ns = time.perf_counter_ns() - start
        results = results if isinstance(results, list) else [results]
        written = []
        for (name, dtype, shape), result in zip(outputs, results):
            result = numpy.asarray(result)
            if result.dtype != numpy.dtype(DTYPES[dtype]):
                raise NotOffered("%s gives %s and not %s" % (op, result.dtype, dtype))
            written.append((name, dtype, result.reshape(shape)))
        write_safetensors(params["out"], written)
        return {"outputs": [name for name, _, _ in written], "wall_ns": wall_ns, "state": {"changed": []}}


def answer(adapter, request):
    """The reply to one request, without its id; None to `bye`."""
    method = request.get("method")
    try:
        if method == "hello":
            if (request.get("params") or {}).get("protocol") != PROTOCOL:
                raise Refused("only version 1 of the protocol is spoken here")
            return {"result": adapter.hello()}
        if method == "run":
            return {"result": adapter.run(request.get("params") or {})}
        if method == "bye":
            return None
        raise Refused("there is no method `%s`; hello, run and bye are" % method)
    except NotOffered as error:
        code, message = "not-offered", str(error)
    except MemoryError as error:
        code, message = "out-of-memory", str(error) or "out of memory"
    except (Refused, KeyError, ValueError, TypeError, OSError) as error:
        code = "protocol" if isinstance(error, (Refused, OSError)) else "broke"
        message = "%s: %s" % (type(error).__name__, error)
    except Exception as error:  # the library's own
        traceback.print_exc()
        code, message = "broke", "%s: %s" % (type(error).__name__, error)
        if isinstance(error, RuntimeError) and "allocate memory" in str(error):  # torch's way of saying so
            code = "out-of-memory"
    return {"error": {"code": code, "message": message}}


def one_shot(adapter, folder):
    """`--conform-case DIR`: case.json and in.safetensors give out.safetensors and result.json."""
    with open(os.path.join(folder, "case.json"), encoding="utf-8") as file:
        params = json.load(file)
    params["in"] = os.path.join(folder, "in.safetensors")
    params["out"] = os.path.join(folder, "out.safetensors")
    reply = answer(adapter, {"method": "run", "params": params})
    with open(os.path.join(folder, "result.json"), "w", encoding="utf-8") as file:
        json.dump(reply, file, sort_keys=True, indent=1)
        file.write("\n")
    return 0 if "result" in reply else 1


def serve(adapter):
    """Answers until `bye` or the end of the requests; exits."""
    if len(sys.argv) == 3 and sys.argv[1] == "--conform-case":
        sys.exit(one_shot(adapter, sys.argv[2]))
    replies = os.fdopen(os.dup(int(os.environ.get("CONFORM_FD", "3"))), "w", encoding="utf-8")
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8", errors="replace")
    while True:
        line = requests.readline(REQUEST_MAX + 2)
        if not line:
            break
        try:
            request = json.loads(line) if len(line) <= REQUEST_MAX else None
        except ValueError:
            request = None
        if not isinstance(request, dict):
            reply = {"error": {"code": "protocol",
                               "message": "a request is one JSON object of at most 1 MiB on one line"}}
            request = {}
            while line and not line.endswith("\n"):
                line = requests.readline(REQUEST_MAX)
        else:
            reply = answer(adapter, request)
        if reply is None:
            break
        reply["id"] = request.get("id")
        replies.write(json.dumps(reply, separators=(",", ":")) + "\n")
        replies.flush()
    sys.exit(0)
