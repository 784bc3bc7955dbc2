/** What is on the screen as a file: a picture, a table for spreadsheets, columns for programs. */
import type { Shown } from "../data/picture";
import { pointsOf } from "./table";
import type { Picture } from "./picture";
import type { Plot } from "./plot";

type Cell = string | number | boolean | null | undefined;

const FORMULA = /^[=+\-@]/;
const CONTROLS = /\s*[\p{Cc}\u2028\u2029]\s*/gu;
const MOST_NAMED = 3;

export async function download(kind: string, shown: Shown, plot: Plot, section: HTMLElement): Promise<void> {
  const title = section.querySelector("h2")?.textContent ?? "";
  const attribution = section.dataset["attribution"] ?? "";
  if (kind === "png") save(await plot.png(title, attribution), nameOf(shown, "png"));
  if (kind === "csv") save(new Blob([csv(shown, attribution)], { type: "text/csv" }), nameOf(shown, "csv"));
  if (kind === "json") {
    const text = JSON.stringify(json(shown, attribution));
    save(new Blob([text], { type: "application/json" }), nameOf(shown, "json"));
  }
}

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** `bitcoin-price-2026-01-01-2026-01-31.csv` */
export function nameOf({ assets, picture }: Shown, kind: string): string {
  const names = assets.slice(0, MOST_NAMED).map(({ slug, id }) => slug.slice(0, 40).replace(/[^a-z0-9]+/gi, "-") || String(id));
  if (assets.length > MOST_NAMED) names.push(`and-${assets.length - MOST_NAMED}-more`);
  const days = [picture.start, picture.end].map((time) => iso(time).slice(0, 10));
  return `${[...names, picture.field.replace(/_/g, "-"), ...days].join("-").toLowerCase()}.${kind}`;
}

const iso = (time: number): string => new Date(time * 1000).toISOString().replace(".000Z", "Z");

/** A row for each point of each line, oldest first; candles as candles. */
export function csv(shown: Shown, attribution: string): string {
  const rows = shown.picture.candles ? candleRows(shown, attribution) : pointRows(shown, attribution);
  return rows.map((row) => row.map(cell).join(",") + "\r\n").join("");
}

function pointRows(shown: Shown, attribution: string): Cell[][] {
  const { picture, assets, slots } = shown;
  const percent = picture.scale === "percent";
  const names = ["slot", "observed_at", "asset_id", "symbol", "name", picture.field, "unit"];
  const rows: Cell[][] = [[...names, ...(percent ? ["change_percent"] : []), "origin", "attribution"]];
  for (const index of pointsOf(shown).reverse()) {
    picture.lines.forEach((line, number) => {
      const value = line.values[index];
      if (value == null) return;
      const { id, symbol, name } = assets[number]!;
      const times = [iso(slots[index]!), iso(picture.times[index]!)];
      const change = percent ? [line.drawn[index]] : [];
      const origin = line.backfilled[index] ? "backfilled" : "observed";
      rows.push([...times, id, symbol, name, value, unitName(picture, symbol), ...change, origin, attribution]);
    });
  }
  return rows;
}

function candleRows({ picture, assets }: Shown, attribution: string): Cell[][] {
  const { id, symbol, name } = assets[0]!;
  const names = ["start", "end", "asset_id", "symbol", "name", "open", "high", "low", "close", "points", "complete"];
  const rows: Cell[][] = [[...names, "unit", "attribution"]];
  for (const { start, end, open, high, low, close, points, complete } of picture.candles ?? []) {
    const prices = [open, high, low, close, points, complete];
    rows.push([iso(start), iso(end), id, symbol, name, ...prices, picture.unit, attribution]);
  }
  return rows;
}

/** Coins are counted in the asset's own; a share is in percent. */
const unitName = ({ unit }: Picture, symbol: string): string =>
  unit === "coins" ? symbol : unit === "share" ? "percent" : unit;

/** A cell that no spreadsheet takes for a formula; numbers stand in full. */
function cell(value: Cell): string {
  if (value == null) return "";
  if (typeof value !== "string") return String(value);
  const line = value.search(CONTROLS) < 0 ? value : value.replace(CONTROLS, " ").trim();
  const safe = FORMULA.test(line) ? `\t${line}` : line;
  return /[",\t]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** Columns, as the API answers: `null` where a line has no value. */
export function json(shown: Shown, attribution: string): object {
  const { picture, assets, slots } = shown;
  const indexes = pointsOf(shown).reverse();
  const pick = <T>(column: ArrayLike<T>): T[] => indexes.map((index) => column[index]!);
  return {
    field: picture.field,
    unit: picture.unit,
    scale: picture.scale,
    from: iso(picture.start),
    to: iso(picture.end),
    slots: pick(slots),
    observed_at: pick(picture.times),
    assets: picture.lines.map((line, number) => ({
      id: line.id,
      symbol: line.symbol,
      name: assets[number]!.name,
      values: pick(line.values).map((value) => value ?? null),
      ...(picture.scale === "percent" ? { change_percent: pick(line.drawn).map((value) => value ?? null) } : {}),
      origin: pick(line.backfilled).map((is) => (is ? "backfilled" : "observed")),
    })),
    ...(picture.candles ? { candles: picture.candles } : {}),
    gaps: picture.bands,
    sampled: picture.sampled,
    attribution,
  };
}
