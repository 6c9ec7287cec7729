"""Philox4x64-10 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"), compiled.

One call gives the first uniform of the block (key, counter), equal bit for bit to what
``numpy.random.Generator(numpy.random.Philox(key=key, counter=counter)).random()`` returns.
"""

from __future__ import annotations

import numpy as np

from abm.core.jit import kernel

_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ELEVEN = np.uint64(11)
_ONE = np.uint64(1)
_UNIT = 1.0 / 9007199254740992.0


@kernel
def _high(a, b):
    """Upper 64 bits of the 128-bit product."""
    a0, a1 = a & _LOW, a >> _HALF
    b0, b1 = b & _LOW, b >> _HALF
    t = a1 * b0 + ((a0 * b0) >> _HALF)
    u = a0 * b1 + (t & _LOW)
    return a1 * b1 + (t >> _HALF) + (u >> _HALF)


@kernel
def uniform(key0, key1, c0, c1):
    """Uniform in [0, 1) of key (key0, key1) and counter words (c0, c1, 0, 0)."""
    # NumPy's generator adds one to the counter before it draws its first block.
    x0 = c0 + _ONE
    x1 = c1 + _ONE if x0 == np.uint64(0) else c1
    x2 = np.uint64(0)
    x3 = np.uint64(0)
    if x0 == np.uint64(0) and x1 == np.uint64(0):
        x2 = _ONE
    for _ in range(10):
        high0, low0 = _high(_M0, x0), _M0 * x0
        high1, low1 = _high(_M1, x2), _M1 * x2
        x0, x1, x2, x3 = high1 ^ x1 ^ key0, low1, high0 ^ x3 ^ key1, low0
        key0 += _W0
        key1 += _W1
    return (x0 >> _ELEVEN) * _UNIT


@kernel
def fill_ordinals(key0, key1, ordinals, out):
    """out[i] = uniform of counter (ordinals[i], 0)."""
    for i in range(ordinals.size):
        out[i] = uniform(key0, key1, np.uint64(ordinals[i]), np.uint64(0))


@kernel
def fill(key0, key1, births, ordinal, out):
    """out[i] = uniform of counter (ordinal, births[i])."""
    for i in range(births.size):
        out[i] = uniform(key0, key1, ordinal, np.uint64(births[i]))
