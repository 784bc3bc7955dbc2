/** Money in another currency, by the rate that was recorded at the very same slot. */
import type { Column, Series } from "./decode";

/** The assets whose price is a currency's rate: everything is recorded in USD. */
export const RATE_IDS: Record<string, number> = {
  EUR: 2790,
  GBP: 2791,
  JPY: 2797,
  COP: 2820,
  MXN: 2799,
  BRL: 2783,
  ARS: 2821,
  BTC: 1,
  ETH: 1027,
};

/** What a line is measured by at its slots, such as a rate; and how many points lack it. */
export interface Measured {
  column: Column;
  lacking: number;
  known: number;
}

/** By slot, what is recorded in one column of a series. */
export function bySlot(slots: readonly number[], column: Column): Map<number, number> {
  const found = new Map<number, number>();
  column.forEach((value, index) => {
    if (value) found.set(slots[index]!, value);
  });
  return found;
}

/** Each value divided by what was recorded at its slot; where nothing was, it is left out. */
export function measure(series: Series, column: Column, by: Map<number, number>, times = 1): Measured {
  let [lacking, known] = [0, 0];
  const measured = column.map((value, index) => {
    if (value == null) return null;
    known++;
    const unit = by.get(series.slots[index]!);
    if (unit) return (value / unit) * times;
    lacking++;
    return null;
  });
  return { column: measured, lacking, known };
}
