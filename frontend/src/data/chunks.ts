/** An asset's history from the files of `/data/`: every point, or for long windows its days. */
import { data } from "../edition";
import { absolute, decode, type Series, type Written } from "./decode";
import { stitch } from "./stitch";

export interface Latest {
  slot: number | null;
  next_slot: number | null;
  interval: number | null;
  first_slot: number | null;
  /** The newest month, where its file has its days in it and there is none of days alone. */
  whole_month: string | null;
}

export interface Asset {
  id: number;
  name: string;
  symbol: string;
  slug: string;
  /** Its first and last recorded slot; before and after them it has no files. */
  first: number;
  last: number;
  /** Whether others carry its symbol: then its id is told. */
  shared?: boolean;
}

export const MOST_POINTS = 3000;
const USUAL_INTERVAL = 21_600;

export const latest = async (): Promise<Latest> => (await data<Latest>("latest.json")) as Latest;

/** Whether a window has few enough slots that every point is shown. */
export function isFine(start: number, end: number, { interval }: Latest): boolean {
  return (end - start) / (interval ?? USUAL_INTERVAL) <= MOST_POINTS;
}

/** The names of the months (UTC) of a window: `2026-01`. */
export function monthsOf(start: number, end: number): string[] {
  const names: string[] = [];
  const first = new Date(start * 1000);
  let month = Date.UTC(first.getUTCFullYear(), first.getUTCMonth());
  while (month <= end * 1000) {
    const date = new Date(month);
    names.push(date.toISOString().slice(0, 7));
    month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  }
  return names;
}

/**
 * An asset's points and gaps from the files of a window: all of them, which is more than the window,
 * for candles that begin before it.
 */
export async function readWhole(
  asset: Asset,
  [start, end]: [number, number],
  fine: boolean,
  now: Latest,
): Promise<Series> {
  const [from, to] = [Math.max(start, asset.first), Math.min(end, Math.max(asset.last, asset.first))];
  const months = from <= to ? monthsOf(from, to) : [];
  const files = fine ? months.map((month) => one(asset.id, month)) : yearly(asset.id, months, now);
  const found = (await Promise.all(files)).flat();
  return stitch(found.length ? found : [decode({ slots: [], observed_at: [], backfilled: [], gaps: [] })]);
}

async function one(id: number, name: string): Promise<Series[]> {
  const written = await data<Written>(`assets/${id}/${name}.json`);
  return written ? [decode(written)] : [];
}

/** A year that is over is one file; where it is not there, its months are. */
function yearly(id: number, months: readonly string[], now: Latest): Promise<Series[]>[] {
  const newest = months[months.length - 1]?.slice(0, 4);
  const years = new Map<string, string[]>();
  for (const month of months) years.set(month.slice(0, 4), [...(years.get(month.slice(0, 4)) ?? []), month]);
  return [...years].map(async ([year, named]) => {
    const whole = year === newest ? [] : await one(id, year);
    return whole.length ? whole : (await Promise.all(named.map((month) => daysOf(id, month, now)))).flat();
  });
}

/** A month's days. Where a new month has begun meanwhile, the last one has its days in a file anew. */
async function daysOf(id: number, month: string, { whole_month }: Latest): Promise<Series[]> {
  const found = await one(id, month === whole_month ? month : `${month}.days`);
  return found.length ? found : one(id, month);
}

type Totals = Record<string, (number | null)[]>;

/** A column of the whole market's figures, with the slots it was recorded at. */
export async function readTotals(
  column: string,
  start: number,
  end: number,
): Promise<{ slots: number[]; values: (number | null)[] }> {
  const names = monthsOf(start, end).map((month) => `totals/${month}.json`);
  const files = await Promise.all(names.map((name) => data<Totals>(name)));
  const there = files.filter((file): file is Totals => file !== undefined);
  return {
    slots: there.flatMap((file) => absolute(file["slots"] as number[])),
    values: there.flatMap((file) => file[column] ?? file["slots"]!.map(() => null)),
  };
}
