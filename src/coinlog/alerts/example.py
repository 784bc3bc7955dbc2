"""An example of the file of alerts, with every kind: what ``coinlog alerts init`` writes."""

from __future__ import annotations

EXAMPLE = """\
# What coinlog tells you of, and by which limits. docs/alerts.md explains every line.
# `coinlog alerts check` reads it back in words, `coinlog alerts dry-run` says what it would have
# told you of what is recorded, `coinlog alerts try` sends a message to everybody.
#
# Where messages go stands elsewhere, since such addresses hold secrets: one Apprise address a line
# in a file, or in COINLOG_ALERT_URLS. For example:
#   ntfy://ntfy.sh/a-topic-nobody-guesses      tgram://BOT_TOKEN/CHAT_ID
#   mailto://user:password@example.org         slack://TOKEN_A/TOKEN_B/TOKEN_C/#channel
# urls_file = "alert-urls.txt"

[recorder]
failing = true                    # the source gives no usable answer: why, and when it is over
missed = true                     # slots that nobody recorded
partial = { slots = 3 }           # so many slots in a row lack a part
database = { minutes = 15 }       # what is recorded waits so long for the database
clock = { seconds = 60 }          # our clock is so far off the source's
disk = { free_mb = 1000 }         # less than so much is free
drift = true                      # keys in the source's answers are new, gone or of another kind
# quota = true                    # the credits will not last: by the source's own key/info
# quota = { credits_a_month = 10000 }    # the same by the ledger alone

# Assets are named by CoinMarketCap's id, the number in the address of their page.

[[price]]
asset = 1
above = 100000
# currency = "EUR"                # else USD
# rearm = 1                       # it must come back by so many percent before it is over

[[change]]
asset = 1027
percent = -10                     # down 10 % or more
window = "24h"                    # says nothing where a slot of the window is lacking

# [[rank]]
# asset = 1839
# worse_than = 5

# [[dominance]]
# asset = 1                       # 1 (Bitcoin) or 1027 (Ethereum)
# below = 50
"""
