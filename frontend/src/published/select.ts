/**
 * Which assets of a market are shown, and in what order: the rules of the server's `narrowing.py`
 * over the columns of a file. A test compares the two.
 */

export type Cell = string | number | null;
export interface Market {
  slot: number;
  total: number;
  assets: Record<string, Cell[]>;
  currencies: Record<string, number>;
  /** The ids of the assets that share their symbol with another. */
  shared: number[];
}

export interface Wish {
  q: string;
  sort: string;
  only: string;
  cap: string;
  ids: number[];
}

const BANDS: Record<string, [number, number] | null> = {
  "10b": [1e10, Infinity],
  "1b": [1e9, 1e10],
  "100m": [1e8, 1e9],
  "10m": [1e7, 1e8],
  small: [0, 1e7],
  unknown: null,
};
const CHANGE = "percent_change_24h";
const NATURAL: Record<string, string> = { gainers: `-${CHANGE}`, losers: CHANGE };

/** The order of a market that none is asked for of. */
export const naturalSort = (only: string): string => NATURAL[only] ?? "rank";

/** The places of the assets that match, in order: unknown values last, ties by rank and id. */
export function select({ assets }: Market, wish: Wish): number[] {
  const places = assets["id"]!.map((_, place) => place).filter((place) => matches(assets, place, wish));
  const sort = wish.sort || naturalSort(wish.only);
  const name = sort.replace("-", "");
  const turn = sort.startsWith("-") ? -1 : 1;
  const column = assets[name] ?? [];
  const keys = name === "name" || name === "symbol" ? column.map((text) => String(text).toLowerCase()) : column;
  const { rank, id } = assets as { rank: (number | null)[]; id: number[] };
  return places.sort(
    (one, other) =>
      compare(keys[one]!, keys[other]!, turn) || compare(rank[one]!, rank[other]!, 1) || id[one]! - id[other]!,
  );
}

function matches(assets: Market["assets"], place: number, { q, only, cap, ids }: Wish): boolean {
  const change = assets[CHANGE]![place] as number | null;
  if (only === "gainers" && !(change !== null && change > 0)) return false;
  if (only === "losers" && !(change !== null && change < 0)) return false;
  if (only === "favourites" && !ids.includes(assets["id"]![place] as number)) return false;
  return inBand(assets["market_cap"]![place] as number | null, cap) && found(assets, place, q);
}

function inBand(value: number | null, cap: string): boolean {
  if (!(cap in BANDS)) return true;
  const band = BANDS[cap];
  if (!band) return value === null;
  return value !== null && value >= band[0] && value < band[1];
}

function found(assets: Market["assets"], place: number, q: string): boolean {
  const words = q.trim().toLowerCase();
  if (!words) return true;
  if (/^[0-9]{1,9}$/.test(words) && assets["id"]![place] === Number(words)) return true;
  return ["name", "symbol"].some((name) => String(assets[name]![place]).toLowerCase().includes(words));
}

function compare(one: Cell, other: Cell, turn: number): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  if (typeof one === "string" && typeof other === "string") return turn * byLetters(one, other);
  return turn * ((one as number) - (other as number));
}

/** By code points, as the databases compare; JavaScript's own order is that of UTF-16. */
function byLetters(one: string, other: string): number {
  if (one === other) return 0;
  const [letters, others] = [[...one], [...other]];
  for (let index = 0; index < Math.min(letters.length, others.length); index++) {
    const apart = letters[index]!.codePointAt(0)! - others[index]!.codePointAt(0)!;
    if (apart) return apart;
  }
  return letters.length - others.length;
}
