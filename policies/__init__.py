"""What public bodies can set: levers, packages of them, and triggers that switch packages on."""

from policies.catalogue import catalogue
from policies.lever import Lever
from policies.library import shipped_packages
from policies.package import Package
from policies.trigger import Trigger

__all__ = ["Lever", "Package", "Trigger", "catalogue", "shipped_packages"]
