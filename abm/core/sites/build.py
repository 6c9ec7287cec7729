"""How far sites under way could build this month, and how far they do; which sites want accelerators."""

from __future__ import annotations

from abm.core.jit import helper, kernel
from abm.core.sites.draw import BUILDERS
from abm.core.sites.settle import shell_budget

(EQUIPMENT, COOLING, CREWS, GOODS) = range(4)
"""Rows of what is asked for and got."""

(BUILD_MONTHS, SIZE_EXPONENT, MONTH, LEAD_BEFORE) = range(4)
"""Places in ``terms`` of :func:`ask`; LEAD_BEFORE: months before its date that a site begun earlier has its equipment."""

(NOW, LIFE_MONTHS, KW_PER_KW, OVERBOOKING, SMALL_GAP) = range(5)
"""Places in ``terms`` of :func:`short_of_chips`."""


@helper
def months_to_build(mw, terms):
    """Larger ones take longer, less than in proportion."""
    return max(terms[BUILD_MONTHS] * max(mw / 100.0, 1.0) ** terms[SIZE_EXPONENT], 1e-9)


@kernel(
    [
        "int64(float64[::1], int64, int64, int64, int64, int64[::1], int64[::1], float64[::1], float64[::1],"
        "float64[::1], int64[::1], boolean[::1], int64[::1], int64[::1], int64[::1], int64[::1], float64[:, ::1],"
        "float64[::1], float64[::1], float64[:, ::1], float64[:, ::1])"
    ],
    allocates=False,
)
def ask(
    terms,  # (4,)
    count,  # sites
    decided,  # status of sites under way
    ai,  # kind of site that shares crews and cooling with others
    never,  # month of what has not happened
    status,  # (S,)
    kind,  # (S,)
    mw,  # (S,)
    built,  # (S,) share that stands
    equipment,  # (S,) MW delivered
    built_in,  # (S,) month in which the building stood
    started_before,  # (S,) under way at the start
    expected,  # (S,) month announced
    decided_in,  # (S,) month of decision
    owner,  # (S,) row of the cast
    lead,  # (cast,) months that equipment takes
    on_way,  # (3,S) late because of a shock
    cooling_stock,  # (S,) cooling that waits for crews
    want,  # (S,) out: MW that the site could build
    asked,  # (3,S) out
    weight,  # (3,S) out
):
    """Fill ``want``, ``asked`` and ``weight``; returns how many sites ask for something or build."""
    busy = 0
    for row in range(mw.size):
        want[row] = 0.0
        for good in range(3):
            asked[good, row] = 0.0
            weight[good, row] = 0.0
    for row in range(count):
        if status[row] != decided:
            continue
        size = mw[row]
        weight[EQUIPMENT, row] = size
        missing = size - equipment[row]
        due = (
            expected[row] - terms[LEAD_BEFORE] if started_before[row] else decided_in[row] + lead[owner[row]]
        )
        if missing > 0.0 and terms[MONTH] >= due:
            asked[EQUIPMENT, row] = max(missing - on_way[EQUIPMENT, row], 0.0)
            busy += 1
        if built[row] < 1.0 and built_in[row] == never:
            busy += 1
            left = (1.0 - built[row]) * size
            want[row] = min(1.0 / months_to_build(size, terms), 1.0 - built[row]) * size
            if kind[row] == ai:
                weight[COOLING, row] = weight[CREWS, row] = size
                asked[CREWS, row] = max(min(want[row], left - on_way[CREWS, row]), 0.0)
                lying = cooling_stock[row]
                asked[COOLING, row] = max(min(want[row] - lying, left - lying - on_way[COOLING, row]), 0.0)
    return busy


@kernel(
    [
        "UniTuple(int64, 2)(int64, int64, int64, int64, float64[::1], int64[::1], float64[::1], float64[::1],"
        "float64[::1], float64[::1], int64[::1], float64[::1], float64[::1], float64[::1], float64[:, ::1],"
        "int8[:, ::1], boolean[::1], int64[::1], int64[::1], int64[::1], float64[::1], int64[::1], int64[::1],"
        "int64[::1])"
    ],
    allocates=False,
)
def progress(
    month,
    again,  # months after which a site is told again what is short
    count,  # sites
    ai,  # kind of site that shares crews and cooling with others
    money,  # (TERMS,) of :mod:`abm.core.sites.settle`
    kind,  # (S,)
    mw,  # (S,)
    shell_cost,  # (S,) currency, NaN where no figure was announced
    waived,  # (S,) share of the connection's cost
    built,  # (S,) share that stands; what is built is added
    built_in,  # (S,) month in which the building stood; written where it now does
    equipment,  # (S,) MW delivered; what came is added
    want,  # (S,) MW that the site could build
    cooling_stock,  # (S,) cooling that waits for crews; brought up to date
    got,  # (3,S) what came
    bound,  # (3,S) why less came than was asked for
    is_shock,  # (bounds,) whether that is a shock
    said,  # (S,) what was short when the site was last told, 0: never; brought up to date
    said_in,  # (S,) month of that; brought up to date
    rows,  # (S,) out: AI sites that build
    amounts,  # (S,) out: what each of them spends on it, currency
    payees,  # (S,) out: BUILDERS
    told,  # (S,) out: sites that are told what is short, since that is new or was said long ago
    lacks,  # (S,) out: COOLING or CREWS, and GOODS more where that is for a shock
):
    """Buildings proceed as far as crews and cooling both reach; returns how many ``rows`` and ``told`` there are."""
    found = news = 0
    for row in range(count):
        equipment[row] += got[EQUIPMENT, row]
        crews, cooled = got[CREWS, row], cooling_stock[row] + got[COOLING, row]
        if want[row] <= 0.0 and crews <= 0.0 and got[COOLING, row] <= 0.0:
            continue
        left = max((1.0 - built[row]) * mw[row], 0.0)
        amount = min(min(crews, cooled), left) if kind[row] == ai else want[row]
        done = 0.0
        if want[row] > 0.0 or amount > 0.0:
            after = min(built[row] + amount / mw[row], 1.0)
            if after > 1.0 - 1e-9:
                after, built_in[row] = 1.0, month
            done, built[row] = after - built[row], after
        if kind[row] != ai:
            continue
        cooling_stock[row] = max(cooled - amount, 0.0)
        if done > 0.0:
            rows[found], payees[found] = row, BUILDERS
            amounts[found] = shell_budget(money, shell_cost[row], mw[row], waived[row]) * done
            found += 1
        if amount < want[row] - 1e-9:
            short = CREWS if crews <= cooled else COOLING
            if is_shock[bound[short, row]]:
                short += GOODS
            if said[row] != short or month - said_in[row] >= again:
                said[row], said_in[row] = short, month
                told[news], lacks[news] = row, short
                news += 1
    return found, news


@kernel(
    [
        "UniTuple(float64, 2)(int64, int64, int64, int64[::1], int64[::1], float64[::1], float64[::1], float64[::1])"
    ],
    allocates=False,
)
def still_needed(
    count,  # sites
    decided,  # status of sites under way
    ai,  # kind of site that shares crews and cooling with others
    status,  # (S,)
    kind,  # (S,)
    mw,  # (S,)
    built,  # (S,) share that stands
    equipment,  # (S,) MW delivered
):
    """MW of equipment that sites under way still need, and MW that AI sites among them still build."""
    to_equip = to_build = 0.0
    for row in range(count):
        if status[row] == decided:
            to_equip += mw[row] - equipment[row]
            if kind[row] == ai:
                to_build += mw[row] * (1.0 - built[row])
    return to_equip, to_build


@kernel(
    [
        "int64(int64, int64, int64, int64, int64[::1], float64[::1], float64[::1], int64[::1], int64[::1],"
        "int64[::1], int64[::1], int64[::1])"
    ],
    allocates=False,
)
def opening(
    month,
    count,  # sites
    decided,  # status of sites under way
    never,  # month of what has not happened
    status,  # (S,)
    mw,  # (S,)
    equipment,  # (S,) MW delivered
    ready,  # (S,) month in which the substation can be energised
    expected,  # (S,) month announced
    built_in,  # (S,) month in which the building stood
    connected_in,  # (S,) month of connection; written where equipment and substation are both there
    rows,  # (S,) out: sites that open
):
    """Sites are connected, and open where building and date allow; returns how many ``rows`` there are."""
    found = 0
    for row in range(count):
        if status[row] != decided:
            continue
        if equipment[row] >= mw[row] - 1e-9 and ready[row] <= month and connected_in[row] == never:
            connected_in[row] = month
        if built_in[row] <= month and connected_in[row] <= month and expected[row] <= month:
            rows[found] = row
            found += 1
    return found


@kernel(
    [
        "int64(float64[::1], int64, int64, int64, int64, int64[::1], int64[::1], int64[::1], int64[::1], int64[::1],"
        "int64[::1], float64[::1], float64[::1], float64[:, ::1], float64[:, ::1], float64[:, ::1], float64[::1],"
        "float64[:, ::1], float64[::1], int64[::1], float64[::1])"
    ],
    allocates=False,
)
def short_of_chips(
    terms,  # (5,)
    count,  # sites
    decided,  # statuses of sites under way
    energised,  # and at work
    ai,  # kind of site that orders
    status,  # (S,)
    kind,  # (S,)
    finance,  # (S,) 0: the state buys
    owner,  # (S,) row of the cast
    lead,  # (cast,) months that accelerators take
    newest,  # (months,) vintage that a buyer counts on, by lead time
    mw,  # (S,)
    planned,  # (S,) accelerators
    chips,  # (S,V) at work
    store,  # (S,V) delivered and waiting
    chip_age,  # (S,V) mean month of delivery
    ordered,  # (S,) on the way
    wanted,  # (S,makers) in the queue
    kw,  # (V,)
    rows,  # (S,) out
    missing,  # (S,) out
):
    """Sites that want accelerators, and how many; returns how many sites there are.

    A site wants its plan, or what its power holds, less what will stand there when an order of today arrives.
    """
    found = 0
    for row in range(count):
        if (status[row] != decided and status[row] != energised) or kind[row] != ai or finance[row] == 0:
            continue
        arrives = terms[NOW] + lead[owner[row]]
        standing, draw = 0.0, 0.0
        for v in range(kw.size):
            there = chips[row, v] + store[row, v]
            if there > 0.0 and arrives - chip_age[row, v] < terms[LIFE_MONTHS] - 1e-6:
                standing += there
                draw += there * kw[v]
        coming = ordered[row]
        for maker in range(wanted.shape[1]):
            coming += wanted[row, maker]
        each = kw[newest[lead[owner[row]]]] * terms[KW_PER_KW]
        room = (mw[row] * 1000.0 * terms[OVERBOOKING] - draw * terms[KW_PER_KW]) / each
        gap = min(planned[row] - standing, room) - coming
        if gap >= max(terms[SMALL_GAP] * planned[row], 1.0):
            rows[found], missing[found] = row, gap
            found += 1
    return found
