/**
 * What a chart shows. `data/` makes it of what was recorded, this folder draws it. Times are seconds
 * UTC; values are in the unit that is shown.
 */

/** `null`: a gap or unknown; `undefined`: this line has no point at this time and goes on. */
export type Value = number | null | undefined;
export type Scale = "linear" | "log" | "percent";
export type Form = "line" | "area" | "candles";

export interface Line {
  id: number;
  name: string;
  symbol: string;
  /** By index of `times`: the values in `unit`, and what is drawn: the same, or percent. */
  values: Value[];
  drawn: Value[];
  /** Which of the points were backfilled, by index of `times`. */
  backfilled: boolean[];
}

export interface Candle {
  start: number;
  end: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** How many recorded quotes it was made of. */
  points: number;
  /** False where the window cuts it off, or it has not ended yet. */
  complete: boolean;
}

export interface Band {
  start: number;
  end: number;
  /** Why there is no quote, in the page's language. */
  reason: string;
}

export interface SlotOutcome {
  slot: number;
  outcome: "stored" | "partial" | "failed" | "missed";
  /** In the page's language; empty for a stored slot. */
  reason: string;
}

export interface Picture {
  start: number;
  end: number;
  /** How far one can zoom out and pan: the ends of what is recorded. Without it, the picture's own. */
  limits?: [number, number];
  times: number[];
  lines: Line[];
  /** For the form `candles`: one asset's. */
  candles?: Candle[];
  /** Bars under one asset's price: the volume, by index of `times`, in `unit`. */
  volume?: Value[];
  bands: Band[];
  outcomes: SlotOutcome[];
  field: string;
  scale: Scale;
  form: Form;
  /** A currency's code, or `coins`, `rank`, `share`. */
  unit: string;
  /** Written across a chart of a made-up market, else empty. */
  mark: string;
  /** Whether points were left out; the extremes of each stretch stay. */
  sampled: boolean;
}
