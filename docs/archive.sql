-- The archive as a table, straight from its files: nothing is loaded, nothing is installed but
-- DuckDB. Start it where the folder `archive` is, or replace 'archive' by 's3://BUCKET'.
-- One row for each asset and slot; of several attempts at a slot the last that has data counts.
WITH attempts AS (
    SELECT slot, attempt
    FROM read_json('archive/captures/*/*/manifest.json',
                   columns = {slot: 'VARCHAR', attempt: 'VARCHAR', outcome: 'VARCHAR'})
    WHERE outcome IN ('stored', 'partial')
    QUALIFY row_number() OVER (PARTITION BY slot ORDER BY outcome = 'stored' DESC,
                               try_cast(attempt AS INTEGER) DESC NULLS LAST) = 1
),
answers AS (
    SELECT parse_path(filename)[-3] AS slot, parse_path(filename)[-2] AS attempt,
           unnest(data) AS asset
    FROM read_json('archive/captures/*/*/listings-*.json.gz', filename = true,
                   maximum_object_size = 100_000_000,
                   columns = {data: 'STRUCT(id BIGINT, symbol VARCHAR, cmc_rank INTEGER, quote
                              STRUCT(symbol VARCHAR, price DOUBLE, market_cap DOUBLE,
                                     volume_24h DOUBLE)[])[]'})
)
SELECT strptime(slot, '%Y%m%dT%H%M%SZ') AS slot, asset.id AS asset_id, asset.symbol,
       asset.cmc_rank AS rank, usd.price, usd.market_cap, usd.volume_24h
FROM answers
JOIN attempts USING (slot, attempt),
LATERAL (SELECT unnest(asset.quote) AS usd)
WHERE usd.symbol = 'USD'
ORDER BY asset_id, slot;
