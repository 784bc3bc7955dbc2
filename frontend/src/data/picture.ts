/** From what is asked for to what a chart shows: of what is recorded, and of nothing else. */
import type { Band, Form, Picture, Scale, Value } from "../chart/picture";
import { t } from "../texts";
import { align } from "./align";
import type { Asset } from "./chunks";
import type { Column, Series } from "./decode";
import type { Embedded } from "./embedded";
import { outcomesOf } from "./outcomes";
import { sinceFirst } from "./percent";
import { place } from "./place";

export interface Wish {
  assets: Asset[];
  start: number;
  end: number;
  field: string;
  scale: Scale;
  form: Form;
  currency: string;
}

/** A picture with what stands around it: in files, in the table, in the notes under it. */
export interface Shown {
  picture: Picture;
  assets: Asset[];
  /** The slot of each of the picture's times. */
  slots: number[];
  /** False where values are rounded or points are left out that could be had. */
  exact: boolean;
  /** What the reader must know of what is shown, in words. */
  notes: string[];
}

export interface Made {
  asset: Asset;
  series: Series;
  column: Column;
}

const UNITS: Record<string, string> = { circulating_supply: "coins", rank: "rank", dominance: "share" };

export const isMoney = (field: string): boolean => !(field in UNITS);
export const unitOf = (field: string, currency: string): string => UNITS[field] ?? currency;

export function picture(wish: Wish, lines: readonly Made[], further: Partial<Picture>): [Picture, number[]] {
  const { start, end, field, scale, form, currency } = wish;
  const all = lines.map((line) => line.series);
  const aligned = align(all, lines.map((line) => line.column), start, end);
  const shown: Picture = {
    start,
    end: Math.max(end, ...aligned.times.slice(-1)),
    times: aligned.times,
    lines: lines.map(({ asset: { id, name, symbol } }, index) => ({
      id,
      name,
      symbol,
      values: aligned.values[index]!,
      drawn: drawn(aligned.values[index]!, scale),
      backfilled: aligned.backfilled[index]!,
    })),
    bands: bands(all, start, end),
    outcomes: [],
    field,
    scale,
    form,
    unit: unitOf(field, currency),
    mark: "",
    sampled: all.some((series) => series.sampled),
    ...further,
  };
  return [shown, aligned.slots];
}

const drawn = (values: Value[], scale: Scale): Value[] => (scale === "percent" ? sinceFirst(values) : values);

/** The gaps that all lines share, each from the last point before it to the next. */
function bands(lines: readonly Series[], start: number, end: number): Band[] {
  const [first, ...others] = lines;
  if (!first) return [];
  const named = others.map(({ gaps }) => new Set(gaps.map(String)));
  return first.gaps
    .filter((gap) => named.every((gaps) => gaps.has(String(gap))) && gap[0] < end && gap[1] > start)
    .map(([from, to, reason]) => {
      const index = place(first.slots, from);
      return { start: index ? first.times[index - 1]! : from, end: to, reason: t(`reason.${reason}`) };
    });
}

/** The chart of the data that stands in the page. */
export function fromEmbedded(embedded: Embedded, wish: Wish): Shown {
  const lines = embedded.series.map((series, index) => ({
    asset: embedded.assets[index]!,
    series,
    column: series.columns[embedded.field] ?? [],
  }));
  const { start, end, mark, log } = embedded;
  const further = { start, end, mark, outcomes: log ? outcomesOf(log) : [] };
  const [shown, slots] = picture(wish, lines, further);
  addVolume(shown, lines, slots);
  const exact = embedded.exact && !embedded.sampled && log !== null;
  return { picture: shown, assets: embedded.assets, slots, exact, notes: [] };
}

/** Bars under one asset's price. */
export function addVolume(shown: Picture, lines: readonly Made[], slots: readonly number[], column?: Column): void {
  const [line] = lines;
  const volume = column ?? line?.series.columns["volume_24h"];
  if (shown.field !== "price" || lines.length !== 1 || !line || !volume) return;
  const known = new Map(line.series.slots.map((slot, index) => [slot, volume[index]!]));
  shown.volume = slots.map((slot) => known.get(slot));
}
