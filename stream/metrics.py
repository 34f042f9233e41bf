"""What is counted; every process shows its own on ``/metrics``."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram, Info

_SECONDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

CALLS = Gauge("warmline_calls", "Calls in progress")
REFUSED = Counter("warmline_calls_refused_total", "Calls refused because there were too many")
RECORDS = Counter("warmline_audio_records_total", "Records of audio taken in")
GAPS = Counter("warmline_audio_gaps_total", "Places in calls where audio is missing")
FINALS = Counter("warmline_finals_total", "Final utterances published")
PARTIALS = Counter("warmline_partials_total", "Partials published")
BACKLOG = Gauge("warmline_backlog_seconds", "Speech that waits to be understood")
HEARD = Histogram(
    "warmline_hear_seconds", "From an excerpt being cut to its words, waiting included", ["kind"], buckets=_SECONDS
)
SUPERSEDED = Counter(
    "warmline_partials_superseded_total", "Partials that a newer one, or the final, spared the recogniser"
)
GUARDED = Counter("warmline_guarded_total", "Results of the recogniser that were not taken as they were", ["reason"])
MODEL = Info("warmline_model", "What understands speech, and on which device")
LATE = Gauge("warmline_late_seconds", "How long the most urgent utterance or partial has waited for the recogniser")
OVERLOAD = Gauge(
    "warmline_overload_step", "What is given up: 0 nothing, 1 and 2 partials come less often, 3 no partials"
)
HELD = Gauge("warmline_held_records", "Records whose offset waits for an unfinished utterance")
INVALID = Counter("warmline_invalid_total", "Messages that could not be read or handled", ["topic"])
FAILED = Counter("warmline_stage_failures_total", "Times a stage failed and the call went on", ["stage"])
CARDS = Counter("warmline_cards_total", "Cards, ticks and alerts shown", ["rule"])
ARTICLES = Counter("warmline_articles_total", "Articles shown before anybody asked", ["reason"])
WITHHELD = Counter("warmline_cards_withheld_total", "Cards that a rule gave and that were not shown", ["why"])
PLAYBOOK_FAILED = Gauge(
    "warmline_playbook_failed",
    "1 where a tenant's playbook cannot be read and the last good one is in force",
    ["tenant"],
)
FRESH = Histogram(
    "warmline_fresh_seconds",
    "From the arrival of what is told of a customer to the live channel of their call",
    buckets=_SECONDS,
)
STORED = Counter("warmline_stored_messages_total", "Messages written to the store")
LOOKED = Counter("warmline_outreach_looks_total", "Looks at customers whose time had come", ["result"])
OUTREACH = Counter("warmline_outreach_tasks_total", "Tasks made, cancelled or left as too old", ["what", "why"])
WAITING = Gauge("warmline_outreach_waiting", "Customers whose time has come and who were not looked at yet")
ALERTS = Counter("warmline_alert_changes_total", "What happened to alerts of customers", ["kind", "level"])
OPEN_ALERTS = Gauge("warmline_alerts", "Alerts of customers that are not closed", ["level"])
