/** A picture as the columns that uPlot holds: what it finds the cursor's points and the bounds by. */
import type { AlignedData } from "uplot";

import { extremes } from "./candles";
import type { Picture, Value } from "./picture";
import { bounds, logBounds, rankBounds } from "./ticks";
import type { View } from "./view";

/** What no axis can hold. */
const LARGEST = 1e300;

export function columnsOf(picture: Picture): AlignedData {
  if (isCandles(picture)) {
    const middles = picture.candles!.map(({ start, end }) => (start + end) / 2);
    return [middles, picture.candles!.map(({ close }) => drawable(close, picture))];
  }
  const lines = picture.lines.map((line) => line.drawn.map((value) => drawable(value, picture)));
  // An axis without a point has its range all the same.
  if (!picture.times.length) return [[picture.start, picture.end], ...lines.map(() => [null, null])];
  return [picture.times, ...lines];
}

export const isCandles = ({ form, candles }: Picture): boolean => form === "candles" && !!candles;

function drawable(value: Value, { scale }: Picture): Value {
  if (value == null) return value;
  return Math.abs(value) < LARGEST && (scale !== "log" || value > 0) ? value : null;
}

/** The bounds of the axis of values, given those of the values in sight. */
export function valueBounds(picture: Picture, view: View, low: number | null, high: number | null): [number, number] {
  let ends: [number, number] = [low ?? 1, high ?? 1];
  if (isCandles(picture)) ends = extremes(picture, view) ?? ends;
  if (picture.scale === "log") return logBounds(...ends);
  if (picture.unit === "rank" && picture.scale !== "percent") return rankBounds(...ends);
  return bounds(...ends, picture.scale === "percent");
}

/** Where a line has no point of its own but no gap either, the cursor takes its nearest one. */
export function nearest(values: ArrayLike<Value>, index: number): number {
  if (values[index] !== undefined) return index;
  for (let step = 1; step < values.length; step++) {
    if (values[index - step] != null) return index - step;
    if (values[index + step] != null) return index + step;
  }
  return index;
}
