"""What looks like a mistake in rules: they would see nothing, and nobody would know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from coinlog.alerts.market_rules import Change, MarketRule, Price, Rank
from coinlog.alerts.rule import Rule
from coinlog.capturing import Plan
from coinlog.settings.parsers import format_assets
from coinlog.slots import AssetSelection, format_interval
from coinlog.store.reader import StoredAsset


def notes_on(
    plan: Plan,
    rules: Sequence[Rule],
    known: Mapping[int, StoredAsset] | None,
    targets: Sequence[str],
) -> list[str]:
    """Return what looks like a mistake in rules; ``known`` are the assets that are recorded."""
    notes = []
    if not targets:
        notes.append("messages go nowhere: put addresses into COINLOG_ALERT_URLS")
    interval = plan.interval_seconds
    notes += unrecorded(rules, known, plan.selection)
    for rule in rules:
        if isinstance(rule, Change) and rule.window_seconds < interval:
            window, every = format_interval(rule.window_seconds), format_interval(interval)
            notes.append(f"a change in {window} is never known: slots are {every} apart")
        if not isinstance(rule, MarketRule) or known is None or rule.asset in known:
            notes += _unseen(rule, plan.selection)
    return list(dict.fromkeys(notes))


def unrecorded(
    rules: Sequence[Rule], known: Mapping[int, StoredAsset] | None, selection: AssetSelection
) -> Iterator[str]:
    """Yield of which assets nothing is recorded, and what to do about it."""
    for rule in rules:
        if not isinstance(rule, MarketRule) or known is None or rule.asset in known:
            continue
        said = f"nothing is recorded of asset {rule.asset}"
        look = "look the id up: it is the number in the address of the asset's page"
        if rule.asset in selection.explicit_ids:
            yield f"{said}, though it is to be: where that stays so after the next slot, {look}"
        else:
            wider = format_assets(AssetSelection(selection.top, (*selection.ids, rule.asset)))
            yield f"{said}: COINLOG_ASSETS={wider} records it, if there is one; {look}"


def _unseen(rule: Rule, selection: AssetSelection) -> Iterator[str]:
    """Yield what a rule would not see, as an asset below the top ones is not recorded."""
    top = selection.top
    if not isinstance(rule, MarketRule) or not top or rule.asset in selection.explicit_ids:
        return
    wider = AssetSelection(top, (*selection.ids, rule.asset))
    always = f"COINLOG_ASSETS={format_assets(wider)} records it always"
    if isinstance(rule, Rank) and rule.deepest > top:
        yield f"asset {rule.asset} is not recorded below rank {top}, so this cannot work; {always}"
    elif _looks_down(rule):
        yield f"asset {rule.asset} is not recorded while it is below rank {top}; {always}"


def _looks_down(rule: Rule) -> bool:
    """Return whether a rule is about what becomes of an asset that falls."""
    if isinstance(rule, Price):
        return rule.below is not None
    return isinstance(rule, Rank) or (isinstance(rule, Change) and rule.percent < 0)
