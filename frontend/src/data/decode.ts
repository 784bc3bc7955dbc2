/** Columns as they stand in the page and in the files of `/data/`, made ready to reckon with. */

export type Column = (number | null)[];
/** A stretch without a quote: from its first slot to the slot after it, and why. */
export type Gap = [number, number, string];

/** An asset's points as they are written: steps instead of times, nothing that is unknown throughout. */
export interface Written {
  slots: number[];
  observed_at: number[];
  backfilled: [number, number][];
  gaps: Gap[];
  sampled?: boolean;
  days?: Days;
  [field: string]: unknown;
}

/** Candles of whole days (UTC), ready-made. */
export interface Days {
  start: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
  points: number[];
}

export interface Series {
  slots: number[];
  /** When each point was observed: that is where it is drawn. */
  times: number[];
  backfilled: boolean[];
  columns: Record<string, Column>;
  gaps: Gap[];
  sampled: boolean;
  days?: Days;
}

export const FIELDS = ["price", "market_cap", "volume_24h", "circulating_supply", "rank", "dominance"];

/** The times from the first of them and the steps between them. */
export function absolute(steps: readonly number[]): number[] {
  let time = 0;
  return steps.map((step) => (time += step));
}

export function decode(written: Written): Series {
  const slots = absolute(written.slots);
  const backfilled = new Array<boolean>(slots.length).fill(false);
  for (const [from, to] of written.backfilled) backfilled.fill(true, from, to);
  const columns: Record<string, Column> = {};
  for (const field of FIELDS) if (written[field]) columns[field] = written[field] as Column;
  const series: Series = {
    slots,
    times: slots.map((slot, index) => slot + written.observed_at[index]!),
    backfilled,
    columns,
    gaps: written.gaps,
    sampled: written.sampled ?? false,
  };
  if (written.days) series.days = { ...written.days, start: absolute(written.days.start) };
  return series;
}
