"""Standard normal quantile, compiled (Wichura 1988, algorithm AS 241, PPND16): exact to about 1e-16."""

from __future__ import annotations

import math

from abm.core.jit import kernel

SMALLEST = 2.0**-54
"""Below what a uniform of 53 bits can be, zero apart."""


# Coefficients by region, the highest power first.
_MIDDLE_ABOVE = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
_MIDDLE_BELOW = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
_TAIL_ABOVE = (
    7.7454501427834140764e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_TAIL_BELOW = (
    1.05075007164441684324e-9,
    5.475938084995344946e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_FAR_ABOVE = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
_FAR_BELOW = (
    2.04426310338993978564e-15,
    1.4215117583164458887e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)


@kernel
def polynomial(coefficients, x):
    """Horner's rule."""
    total = 0.0
    for c in coefficients:
        total = total * x + c
    return total


@kernel
def quantile(uniform):
    """Quantile of a uniform in [0, 1); 0 counts as the smallest number above it that can be drawn."""
    p = max(uniform, SMALLEST)
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = polynomial(_MIDDLE_ABOVE, r)
        below = polynomial(_MIDDLE_BELOW, r)
        return q * above / below
    tail = p if q < 0.0 else 1.0 - p
    r = math.sqrt(-math.log(tail))
    if r <= 5.0:
        r -= 1.6
        above = polynomial(_TAIL_ABOVE, r)
        below = polynomial(_TAIL_BELOW, r)
    else:
        r -= 5.0
        above = polynomial(_FAR_ABOVE, r)
        below = polynomial(_FAR_BELOW, r)
    return -above / below if q < 0.0 else above / below
