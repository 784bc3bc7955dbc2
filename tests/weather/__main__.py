"""Run the weather machine as the command line says, and print its account."""

from __future__ import annotations

import sys

from weather.running import main

sys.exit(main())
