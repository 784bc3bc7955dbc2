"""Every fault there is."""

from __future__ import annotations

from weather import kill_faults
from weather.fault import Fault

FAULTS: tuple[Fault, ...] = (*kill_faults.FAULTS,)
