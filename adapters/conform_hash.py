"""XXH3-128 of bytes, seed 0, upper half: what the stages of a training run are folded with.

After the xxHash specification (Collet, xxHash fast digest algorithm, 0.2.0, section XXH3); long inputs a kilobyte
at a time by numpy. tests/adapters.sh holds it against the program's own.
"""
import numpy

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
MIX_1, MIX_2 = 0x165667919E3779F9, 0x9FB21C651E98DF25
M64 = (1 << 64) - 1
START = (P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1)
STRIPES = numpy.array([[int.from_bytes(SECRET[8 * (s + i):8 * (s + i) + 8], "little") for i in range(8)]
                       for s in range(16)], numpy.uint64)
SWAPPED = [1, 0, 3, 2, 5, 4, 7, 6]


def word(data, at, size=8):
    return int.from_bytes(data[at:at + size], "little")


def secret(at):
    return word(SECRET, at)


def avalanche(h):
    h = (h ^ h >> 37) * MIX_1 & M64
    return h ^ h >> 32


def avalanche_64(h):
    h = (h ^ h >> 33) * P64_2 & M64
    h = (h ^ h >> 29) * P64_3 & M64
    return h ^ h >> 32


def folded(a, b):
    product = a * b
    return (product ^ product >> 64) & M64


def swap(x, size):
    return int.from_bytes(x.to_bytes(size, "little"), "big")


def up_to_16(data):
    n = len(data)
    if n == 0:
        return avalanche_64(secret(80) ^ secret(88))
    if n < 4:
        low = data[n >> 1] << 24 | data[0] << 16 | n << 8 | data[-1]
        high = swap(low, 4)
        high = (high << 13 | high >> 19) & 0xFFFFFFFF
        return avalanche_64(high ^ (word(SECRET, 8, 4) ^ word(SECRET, 12, 4)))
    if n < 9:
        key = word(data, 0, 4) + (word(data, n - 4, 4) << 32) ^ secret(16) ^ secret(24)
        product = key * (P64_1 + (n << 2))
        return avalanche((product >> 64) + ((product & M64) << 1) & M64)
    low, high = word(data, 0), word(data, n - 8)
    product = (low ^ high ^ secret(32) ^ secret(40)) * P64_1
    first = (product & M64) + ((n - 1) << 54) & M64
    high ^= secret(48) ^ secret(56)
    second = (product >> 64) + high + (high & 0xFFFFFFFF) * (P32_2 - 1) & M64
    product = (first ^ swap(second, 8)) * P64_2
    return avalanche((product >> 64) + second * P64_2 & M64)


def mixed(data, at, key):
    return folded(word(data, at) ^ secret(key), word(data, at + 8) ^ secret(key + 8))


def mix_32(acc, data, a, b, key):
    low = (acc[0] + mixed(data, a, key) & M64) ^ (word(data, b) + word(data, b + 8) & M64)
    high = (acc[1] + mixed(data, b, key + 16) & M64) ^ (word(data, a) + word(data, a + 8) & M64)
    return low, high


def up_to_240(data):
    n = len(data)
    acc = (n * P64_1 & M64, 0)
    if n <= 128:
        for k in range((n - 1) // 32, -1, -1):
            acc = mix_32(acc, data, 16 * k, n - 16 * (k + 1), 32 * k)
    else:
        for i in range(0, 128, 32):
            acc = mix_32(acc, data, i, i + 16, i)
        acc = (avalanche(acc[0]), avalanche(acc[1]))
        for i in range(128, n - n % 32, 32):
            acc = mix_32(acc, data, i, i + 16, i - 125)
        acc = mix_32(acc, data, n - 16, n - 32, 103)
    high = acc[0] * P64_1 + acc[1] * P64_4 + n * P64_2 & M64
    return -avalanche(high) & M64


def added(stripes, keys):
    """[.., stripes, 8] words: what a run of stripes adds to the accumulators, [.., 8]."""
    keyed = stripes ^ keys
    products = (keyed & numpy.uint64(0xFFFFFFFF)) * (keyed >> numpy.uint64(32))
    return (products + stripes[..., SWAPPED]).sum(axis=-2, dtype=numpy.uint64)


def merged(acc, key, start):
    for i in range(4):
        start += folded(acc[2 * i] ^ secret(key + 16 * i), acc[2 * i + 1] ^ secret(key + 16 * i + 8))
    return avalanche(start & M64)


def longer(data):
    n = len(data)
    n_blocks, n_stripes = (n - 1) // 1024, (n - 1) % 1024 // 64
    acc = list(START)
    scramble = [secret(128 + 8 * i) for i in range(8)]
    blocks = numpy.frombuffer(data, "<u8", 128 * n_blocks).reshape(n_blocks, 16, 8)
    for block in added(blocks, STRIPES).tolist():
        acc = [a + b & M64 for a, b in zip(acc, block)]
        acc = [(a ^ a >> 47 ^ key) * P32_1 & M64 for a, key in zip(acc, scramble)]
    if n_stripes:
        rest = numpy.frombuffer(data, "<u8", 8 * n_stripes, 1024 * n_blocks).reshape(n_stripes, 8)
        acc = [a + b & M64 for a, b in zip(acc, added(rest, STRIPES[:n_stripes]).tolist())]
    last = numpy.frombuffer(data[n - 64:], "<u8").reshape(1, 8)
    keys = numpy.frombuffer(SECRET[121:185], "<u8").reshape(1, 8)
    acc = [a + b & M64 for a, b in zip(acc, added(last, keys).tolist())]
    return merged(acc, 117, ~(n * P64_2) & M64)


def hash_of(data):
    """The upper half of the XXH3-128 of bytes, a whole number."""
    data = bytes(data)
    return up_to_16(data) if len(data) <= 16 else up_to_240(data) if len(data) <= 240 else longer(data)
