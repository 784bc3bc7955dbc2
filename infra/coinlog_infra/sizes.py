"""How large the parts are that cost by size: what the stack builds and the estimate adds up."""

from __future__ import annotations

TASK_CPU = 512
"""Of the page's and every one-off task, in 1/1024 of a processor."""

TASK_MEMORY_MB = 1024

CAPTURE_MEMORY_MB = 512
LOAD_MEMORY_MB = 1024
SEND_MEMORY_MB = 1024
SWEEPS_AN_HOUR = 4

BALANCER_ZONES = 2
"""A balancer stands in two zones, with an address in each."""

FIREWALL_RULES = 1
"""Of the web ACL that a public page has."""

ALARMS = 10
METRICS = 1
"""Of our own: the count of stored slots."""

# What follows is not built but expected; measured with 200 assets where it says so.
CAPTURE_SECONDS = 10
LOAD_SECONDS = 5
SWEEP_SECONDS = 3
"""Of a load that finds nothing to do."""

SEND_SECONDS = 1
"""Of a look for alerts that finds none to send: Apprise is not loaded for that."""

PUBLISH_SECONDS = 120
"""Of a task that renews the edition, starting included."""

ARCHIVE_BYTES_PER_ASSET = 400
"""What an asset takes in the archive per slot: 80 kB for 200."""

DATABASE_BYTES_PER_ASSET = 150
"""What an asset takes in the database per slot: 30 kB for 200."""

ANSWERS_PER_SLOT = 6
EDITION_FILES_BESIDES = 60
"""Files that a slot renews in an edition besides one for each asset."""

LOGS_GB_MONTH = 0.2
IMAGE_GB = 0.3
PAGE_CAPACITY_UNITS = 0.1
"""Of a balancer for a page with few readers."""
