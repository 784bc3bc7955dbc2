/** The data that the server put beside a chart, as the columns that uPlot draws. */
import type { AlignedData } from "uplot";

interface Embedded {
  percent: boolean;
  mark: string;
  start: number;
  end: number;
  x: number[];
  lines: { name: string; v: (number | null)[] }[];
  bands: [number, number, string][];
}

export interface Columns {
  percent: boolean;
  mark: string;
  start: number;
  end: number;
  names: string[];
  /** Times, then what is drawn of each line: USD, or percent since its first value. */
  drawn: AlignedData;
  /** The values in USD, by line, and their changes in percent since the first. */
  values: Value[][];
  changes: Value[][];
  bands: [number, number, string][];
}

export type Value = number | null | undefined;

/** The server's sign for: no point here, and yet no gap. uPlot draws on across `undefined`. */
const ABSENT = -1;

export function readColumns(text: string): Columns {
  const { x, lines, ...rest } = JSON.parse(text) as Embedded;
  let time = 0;
  const times = x.map((step) => (time += step));
  const values = lines.map((line) => line.v.map((value) => (value === ABSENT ? undefined : value)));
  const changes = values.map(sinceFirst);
  const names = lines.map((line) => line.name);
  return { ...rest, names, values, changes, drawn: [times, ...(rest.percent ? changes : values)] };
}

function sinceFirst(values: Value[]): Value[] {
  const base = values.find((value) => value);
  if (!base) return values.map(() => null);
  return values.map((value) => (value == null ? value : (value / base - 1) * 100));
}
