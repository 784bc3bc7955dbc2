/** Values in words, by the unit of a picture. */
import { fixed, share } from "../format";
import { moneyIn, priceIn } from "../money";
import type { Picture } from "./picture";

const WHOLE_FROM = 1000;

/** A value in full: for the table. */
export function written({ unit, field }: Picture, value: number): string {
  if (unit === "rank") return fixed(value, 0);
  if (unit === "share") return share(value);
  if (unit === "coins") return fixed(value, Math.abs(value) < WHOLE_FROM ? 2 : 0);
  return field === "price" ? priceIn(unit, value) : moneyIn(unit, value);
}
