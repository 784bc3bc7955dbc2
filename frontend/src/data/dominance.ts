/** An asset's part of the whole market at each slot, in percent. */
import type { Series } from "./decode";
import { bySlot, measure, type Measured } from "./rates";

export function dominance(series: Series, slots: readonly number[], totals: (number | null)[]): Measured {
  const caps = series.columns["market_cap"] ?? series.slots.map(() => null);
  return measure(series, caps, bySlot(slots, totals), 100);
}
