"""A package, so that another distribution's top-level `tests` (pymrio has one) does not hide this folder."""
