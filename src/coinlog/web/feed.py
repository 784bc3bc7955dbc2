"""What went wrong lately as an Atom feed (RFC 4287): an entry for each incident."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from coinlog.attempts import slot_name
from coinlog.slots import DAY, iso
from coinlog.store.incidents import Incident, read_incidents
from coinlog.web import format as fmt
from coinlog.web.i18n import Catalogue, catalogue
from coinlog.web.shell import prefix_of
from coinlog.web.watch import Moment, Watch
from coinlog.web.xml_text import without_controls

FEED_SECONDS = 30 * DAY
TAG = "tag:coinlog,2026:log"
"""The beginning of every id: it names no host, so that moving to another renews no entry."""

_ATOM = "http://www.w3.org/2005/Atom"


def read_feed(watch: Watch, moment: Moment, language: str, origin: str) -> bytes:
    """Return the incidents of the last 30 days as a feed, newest first."""
    since = int(moment.now) - FEED_SECONDS
    incidents = read_incidents(watch.reader, moment.head, moment.now, since)
    writer = _Writer(catalogue(language), language, origin)
    return writer.write(incidents, _updated(incidents, moment))


def _updated(incidents: list[Incident], moment: Moment) -> int:
    """Return when the feed has last changed: with its newest incident, else never."""
    told = [one.told_at for one in incidents]
    return max(told, default=moment.head.first_slot or 0)


class _Writer:
    """Writes a feed in one language, with addresses at one origin."""

    def __init__(self, words: Catalogue, language: str, origin: str) -> None:
        self.words = words
        self.language = language
        self.pages = origin + prefix_of(language)

    def write(self, incidents: list[Incident], updated: int) -> bytes:
        feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": self.language})
        _add(feed, "id", f"{TAG}:{self.language}")
        _add(feed, "title", self.words.text("feed.title"))
        _add(feed, "subtitle", self.words.text("feed.subtitle"))
        _add(feed, "updated", iso(updated))
        _link(feed, "self", f"{self.pages}/log.atom", "application/atom+xml")
        _link(feed, "alternate", f"{self.pages}/log", "text/html")
        _add(ET.SubElement(feed, "author"), "name", "coinlog")
        for incident in incidents:
            self._entry(feed, incident)
        ET.indent(feed, "")
        content: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
        return content

    def _entry(self, feed: ET.Element, incident: Incident) -> None:
        entry = ET.SubElement(feed, "entry")
        called = slot_name(incident.first)
        _add(entry, "id", f"{TAG}/{incident.outcome}/{called}")
        _add(entry, "title", self._title(incident))
        _add(entry, "updated", iso(incident.told_at))
        _add(entry, "published", iso(min(incident.first, incident.told_at)))
        _link(entry, "alternate", f"{self.pages}/log/{called}", "text/html")
        ET.SubElement(entry, "category", {"term": incident.outcome.value})
        _add(entry, "summary", self._summary(incident))

    def _title(self, incident: Incident) -> str:
        words, form = self.words, self.words.format
        told = words.text(f"feed.{incident.outcome}", n=incident.slots)
        span = fmt.time_utc(incident.first, form)
        if incident.slots > 1:
            last = fmt.time_utc(incident.last, form)
            span = words.text("chart.span", start=span, end=last)
        return f"{told}: {span}"

    def _summary(self, incident: Incident) -> str:
        """Return why it happened, what the source said, and what to do."""
        code, texts = incident.reason or "incomplete", self.words.texts
        why = self.words.text(f"reason.{code}") if f"reason.{code}" in texts else code
        said = incident.row.detail if incident.row and incident.row.detail else ""
        means = self.words.text(f"means.{code}") if f"means.{code}" in texts else ""
        sentences = (f"{why[:1].upper()}{why[1:]}.", said, means)
        return "\n".join(one for one in sentences if one)


def _add(parent: ET.Element, name: str, text: str) -> None:
    """Add an element with a text, without the characters that XML cannot hold."""
    ET.SubElement(parent, name).text = without_controls(text)


def _link(parent: ET.Element, rel: str, href: str, kind: str) -> None:
    ET.SubElement(parent, "link", {"rel": rel, "type": kind, "href": href})
