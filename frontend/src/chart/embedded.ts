/** A picture of the data that the server put beside a chart. */
import type { Picture, Value } from "./picture";

interface Embedded {
  percent: boolean;
  mark: string;
  start: number;
  end: number;
  x: number[];
  lines: { name: string; v: (number | null)[] }[];
  bands: [number, number, string][];
}

/** The server's sign for: no point here, and yet no gap. */
const ABSENT = -1;

/** The picture beside a chart; `undefined` where there is none, or nothing in it. */
export function embedded(section: HTMLElement): Picture | undefined {
  const text = section.querySelector('script[type="application/json"]')?.textContent;
  if (!text) return undefined;
  const { x, lines, bands, percent, start, end, mark } = JSON.parse(text) as Embedded;
  let time = 0;
  const times = x.map((step) => (time += step));
  if (!lines.some((line) => line.v.some((value) => value !== null && value !== ABSENT))) return undefined;
  return {
    ...{ start, end, mark, times, outcomes: [], sampled: false },
    lines: lines.map((line) => lineOf(line.name, line.v, percent)),
    bands: bands.map(([from, to, reason]) => ({ start: from, end: to, reason })),
    ...{ field: "price", unit: "USD", form: "line", scale: percent ? "percent" : "linear" },
  };
}

function lineOf(name: string, column: (number | null)[], percent: boolean): Picture["lines"][number] {
  const values = column.map((value) => (value === ABSENT ? undefined : value));
  const drawn = percent ? changes(values) : values;
  return { id: 0, name, symbol: "", values, drawn, backfilled: [] };
}

function changes(values: Value[]): Value[] {
  const base = values.find((value) => value);
  if (!base) return values.map(() => null);
  return values.map((value) => (value == null ? value : (value / base - 1) * 100));
}
