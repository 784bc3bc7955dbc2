/** Candles: of recorded points, or ready-made of whole days. Nothing is invented between them. */
import type { Candle } from "../chart/picture";
import type { Column, Days } from "./decode";

const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** A Monday: weeks begin on Mondays (UTC), as in the store. */
const MONDAY = 4 * DAY;
const WIDTHS = [1, 2, 3, 4, 6, 8, 12].map((hours) => hours * HOUR).concat(DAY, WEEK, 4 * WEEK);
const ENOUGH_POINTS = 4;
const MOST_CANDLES = 400;
const FEWEST_CANDLES = 4;

/** How long candles are: of some points each where that leaves a few of them, and not too many. */
export function widthFor(span: number, interval: number): number {
  const most = WIDTHS.find((width) => span / width <= MOST_CANDLES) ?? 4 * WEEK;
  const room = Math.max(span / FEWEST_CANDLES, interval, HOUR);
  const full = WIDTHS.find((width) => width >= interval * ENOUGH_POINTS) ?? DAY;
  const fitting = [...WIDTHS].reverse().find((width) => width <= room) ?? HOUR;
  return Math.max(most, Math.min(full, fitting));
}

const startOf = (time: number, width: number): number => {
  const origin = width >= WEEK ? MONDAY : 0;
  return Math.floor((time - origin) / width) * width + origin;
};

/** One candle for each stretch with a point. `until`: the newest slot there can be. */
export function candlesOf(slots: readonly number[], column: Column, width: number, until: number): Candle[] {
  const found: Candle[] = [];
  column.forEach((value, index) => {
    if (value != null) add(found, startOf(slots[index]!, width), width, value, value, value, value, 1);
  });
  return finished(found, until);
}

/** The same of ready-made days, for candles of a day or more. */
export function candlesOfDays(days: Days, width: number, until: number): Candle[] {
  const found: Candle[] = [];
  days.start.forEach((start, i) => {
    const [open, high, low, close] = [days.open[i]!, days.high[i]!, days.low[i]!, days.close[i]!];
    add(found, startOf(start, width), width, open, high, low, close, days.points[i]!);
  });
  return finished(found, until);
}

function add(
  found: Candle[],
  start: number,
  width: number,
  open: number,
  high: number,
  low: number,
  close: number,
  points: number,
): void {
  const last = found[found.length - 1];
  if (last?.start !== start) {
    found.push({ start, end: start + width, open, high, low, close, points, complete: true });
    return;
  }
  last.high = Math.max(last.high, high);
  last.low = Math.min(last.low, low);
  last.close = close;
  last.points += points;
}

function finished(found: Candle[], until: number): Candle[] {
  const last = found[found.length - 1];
  if (last) last.complete = last.end <= until;
  return found;
}
