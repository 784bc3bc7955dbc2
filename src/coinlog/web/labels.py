"""What assets are called on a page, and when their id must be told too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from coinlog.store.reader import ListedAsset, StoredAsset
from coinlog.web import views
from coinlog.web.watch import Watch


def labels(watch: Watch, assets: Sequence[ListedAsset | StoredAsset]) -> list[views.AssetLabel]:
    """Return what assets are called, and which of them share their symbol with another."""
    symbols = {asset.symbol for asset in assets}
    shared = Counter(asset.symbol for asset in watch.reader.sharing_symbols(list(symbols)))
    return [label(asset, shares_symbol=shared[asset.symbol] > 1) for asset in assets]


def label(asset: ListedAsset | StoredAsset, *, shares_symbol: bool = False) -> views.AssetLabel:
    """Return what an asset is called."""
    return views.AssetLabel(
        id=asset.id,
        symbol=asset.symbol,
        name=asset.name,
        slug=asset.slug,
        shares_symbol=shares_symbol,
    )
