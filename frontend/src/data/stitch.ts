/** Months joined into one series, and a series cut to a window. */
import type { Column, Days, Gap, Series } from "./decode";
import { place } from "./place";

/** Series that follow each other as one: what one of them does not know at all is unknown there. */
export function stitch(parts: readonly Series[]): Series {
  if (parts.length === 1) return parts[0]!;
  const fields = new Set(parts.flatMap((part) => Object.keys(part.columns)));
  const columns: Record<string, Column> = {};
  for (const field of fields) {
    columns[field] = parts.flatMap((part) => part.columns[field] ?? part.slots.map(() => null));
  }
  return {
    slots: parts.flatMap((part) => part.slots),
    times: parts.flatMap((part) => part.times),
    backfilled: parts.flatMap((part) => part.backfilled),
    columns,
    gaps: whole(parts.flatMap((part) => part.gaps)),
    sampled: parts.some((part) => part.sampled),
    ...(parts.some((part) => part.days) ? { days: joinDays(parts) } : {}),
  };
}

function joinDays(parts: readonly Series[]): Days {
  const all = parts.flatMap((part) => part.days ?? []);
  const join = (name: keyof Days): number[] => all.flatMap((days) => days[name]);
  return {
    start: join("start"),
    open: join("open"),
    high: join("high"),
    low: join("low"),
    close: join("close"),
    points: join("points"),
  };
}

/** A gap that was cut where a month ends is one again. */
function whole(gaps: readonly Gap[]): Gap[] {
  const found: Gap[] = [];
  for (const gap of gaps) {
    const before = found[found.length - 1];
    if (before && before[1] === gap[0] && before[2] === gap[2]) found[found.length - 1] = [before[0], gap[1], gap[2]];
    else found.push(gap);
  }
  return found;
}

/** The points of a window, both ends included, and the gaps that reach into it. */
export function cut(series: Series, start: number, end: number): Series {
  const from = place(series.slots, start);
  const to = place(series.slots, end + 1);
  const columns: Record<string, Column> = {};
  for (const [field, column] of Object.entries(series.columns)) columns[field] = column.slice(from, to);
  return {
    ...series,
    slots: series.slots.slice(from, to),
    times: series.times.slice(from, to),
    backfilled: series.backfilled.slice(from, to),
    columns,
    gaps: series.gaps
      .filter(([first, after]) => first <= end && after > start)
      .map(([first, after, reason]) => [Math.max(first, start), after, reason]),
  };
}
