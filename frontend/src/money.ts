/** Amounts in the currency that a reader has chosen, written in the page's language. */
import { amount } from "./format";

/** A price by significant digits in a currency such as `EUR` or `BTC`. */
export const priceIn = (currency: string, value: number): string => amount("price", value, currency);

/** An amount, shortened from a million on. */
export const moneyIn = (currency: string, value: number): string => amount("money", value, currency);
