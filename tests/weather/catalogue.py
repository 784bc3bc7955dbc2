"""Every fault there is."""

from __future__ import annotations

from weather import (
    clock_faults,
    delivery_faults,
    kill_faults,
    reach_faults,
    row_faults,
    source_faults,
)
from weather.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *kill_faults.FAULTS,
    *source_faults.FAULTS,
    *row_faults.FAULTS,
    *reach_faults.FAULTS,
    *clock_faults.FAULTS,
    *delivery_faults.FAULTS,
)
