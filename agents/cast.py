"""From a world's cast to agents: the kinds that exist, what each needs, and the checks of assembly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from abm.decisions import Intent
from abm.quantities import nearest
from abm.stakeholder import Stakeholder
from agents.capital import BuildingCustomer, Developer, Fund, Lender, Pension, PolicyBank
from agents.chaebols import Chaebol, Platform, PublicOperator
from agents.limits import Assembly, ExportAuthority, NuclearRegulator
from agents.ministries import (
    DataProtection,
    EducationMinistry,
    EnergyMinistry,
    FinanceMinistry,
    LandMinistry,
    LocalGovernment,
    Ministry,
    PresidentialOffice,
    ScienceMinistry,
)
from agents.neighbours import Rival
from agents.startups import StartupGroup
from agents.suppliers import (
    Builder,
    CoolingMaker,
    GpuMaker,
    HbmMaker,
    NpuMaker,
    PowerEquipmentMaker,
    RivalGpuMaker,
)
from agents.utilities import (
    GridUtility,
    MarketOperator,
    NuclearGenerator,
    RenewableDeveloper,
    StorageDeveloper,
    ThermalGenerator,
)

if TYPE_CHECKING:
    from abm.model import Model
    from abm.world import World


class Government(ScienceMinistry, PresidentialOffice):
    """All ministries in one, for small worlds: enacts every lever, buys machines, watches signposts."""

    PHASES: ClassVar[tuple[str, ...]] = ("frame", "policy", "purchases")

    def act(self, phase: str, month: int) -> Iterable[Intent]:
        return self.purchase(month) if phase == "purchases" else PresidentialOffice.act(self, phase, month)


KINDS: Mapping[str, type[Stakeholder]] = {
    "government": Government,
    "ministry": Ministry,
    "science-ministry": ScienceMinistry,
    "energy-ministry": EnergyMinistry,
    "finance-ministry": FinanceMinistry,
    "land-ministry": LandMinistry,
    "data-protection": DataProtection,
    "education-ministry": EducationMinistry,
    "presidential-office": PresidentialOffice,
    "local-government": LocalGovernment,
    "fund": Fund,
    "pension": Pension,
    "policy-bank": PolicyBank,
    "lender": Lender,
    "developer": Developer,
    "building-customer": BuildingCustomer,
    "chaebol": Chaebol,
    "platform": Platform,
    "public-operator": PublicOperator,
    "gpu-maker": GpuMaker,
    "rival-gpu-maker": RivalGpuMaker,
    "npu-maker": NpuMaker,
    "hbm-maker": HbmMaker,
    "power-equipment": PowerEquipmentMaker,
    "cooling": CoolingMaker,
    "builder": Builder,
    "grid-utility": GridUtility,
    "nuclear-generator": NuclearGenerator,
    "thermal-generator": ThermalGenerator,
    "renewable-developer": RenewableDeveloper,
    "storage-developer": StorageDeveloper,
    "market-operator": MarketOperator,
    "startups": StartupGroup,
    "rival": Rival,
    "assembly": Assembly,
    "nuclear-regulator": NuclearRegulator,
    "export-authority": ExportAuthority,
}


def complaints(world: World) -> list[tuple[str, str, str]]:
    """(stakeholder, key, message) for each kind that does not exist and each trait missing, unknown or in a wrong unit."""
    found: list[tuple[str, str, str]] = []
    traits = world.traits
    units_of: dict[int, dict[str, str]] = {}
    for owner, name, unit in zip(traits.who.tolist(), traits.trait, traits.unit, strict=True):
        units_of.setdefault(owner, {})[name] = unit
    currency = world.currency
    for row, who in enumerate(world.cast.keys):
        kind = world.cast.kind[row]
        if kind not in KINDS:
            near = nearest(kind, KINDS)
            found.append(
                (
                    who,
                    "kind",
                    f"found {kind!r}, which is no kind of stakeholder"
                    + (f"; did you mean {near!r}?" if near else ""),
                )
            )
            continue
        needs, units = KINDS[kind].TRAITS, units_of.get(row, {})
        for name, unit in needs.items():
            said = units.get(name)
            asked = unit.replace("currency", currency)
            if said is None:
                found.append((who, name, f"trait missing; kind {kind!r} needs {name!r} in {asked}"))
            elif said != asked:
                found.append((who, name, f"found unit {said!r}, expected {asked!r}"))
        for name in units:
            if name not in needs:
                near = nearest(name, needs)
                found.append(
                    (
                        who,
                        name,
                        f"kind {kind!r} reads no trait {name!r}"
                        + (f"; did you mean {near!r}?" if near else ""),
                    )
                )
    return found


def build(model: Model) -> list[Stakeholder]:
    """One agent for each row of the cast, in its order."""
    return [KINDS[model.world.cast.kind[row]](model, who) for row, who in enumerate(model.world.cast.keys)]
