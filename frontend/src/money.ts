/** Amounts in the currency that a reader has chosen, written in the page's language. */
import { money, price } from "./format";

/** A price by significant digits in a currency such as `EUR` or `BTC`. */
export function priceIn(_currency: string, value: number): string {
  return price(value);
}

/** An amount, shortened from a million on. */
export function moneyIn(_currency: string, value: number): string {
  return money(value);
}
