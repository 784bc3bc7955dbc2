/** What the server put beside a chart's first paint: the same columns as in the files of `/data/`. */
import { learn, type Text } from "../texts";
import type { Asset } from "./chunks";
import { decode, type Series, type Written } from "./decode";
import type { LogColumns } from "./outcomes";

export interface Embedded {
  mark: string;
  start: number;
  end: number;
  field: string;
  /** What was asked for: a named range, or a window by its ends. */
  range: string;
  window: [number, number] | null;
  /** Whether values stand in full; lines that are drawn in percent have five digits here. */
  exact: boolean;
  sampled: boolean;
  assets: Asset[];
  series: Series[];
  log: LogColumns | null;
}

type Line = Asset & Partial<Written>;

interface Content extends Omit<Embedded, "assets" | "series"> {
  lines: Line[];
  words: Record<string, Text>;
}

export function readEmbedded(text: string): Embedded {
  const { lines, words, ...rest } = JSON.parse(text) as Content;
  learn(words);
  let times: Partial<Written> = { slots: [], observed_at: [] };
  const series = lines.map((line) => {
    // A line without times of its own has those of the line before it.
    if (line.slots) times = { slots: line.slots, observed_at: line.observed_at! };
    return decode({ sampled: rest.sampled, ...line, ...times } as Written);
  });
  const assets = lines.map(({ id, name, symbol, slug, first, last, shared = false }) => {
    return { id, name, symbol, slug, first, last, shared };
  });
  return { ...rest, assets, series };
}
