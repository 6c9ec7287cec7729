"""From one run to what is shown of it: chart options, tables and sentences; pure, no screen and no disk.

A report and the browser app use the same builders. Colours in options are names (``@blue``): see
:mod:`runs.views.theme`.
"""

from runs.views.runview import RunView

__all__ = ["RunView"]
