/**
 * Numbers as a reader of the page's language writes them, by the same rules as the server's
 * `format.py`; a test compares the two. Only exact halves may differ in the last digit.
 */
import { form, type NumberFormat } from "./texts";

const MINUS = "\u2212";
const SPACE = "\u00a0";
const PLAIN_BELOW = 1e15;
const COUNTED_ZEROS = 6;
const SHORT_FROM = 1e6;
const WHOLE_FROM = 1000;
const LOW = "₀₁₂₃₄₅₆₇₈₉";
const HIGH = "⁰¹²³⁴⁵⁶⁷⁸⁹";

const small = (digits: string, set: string): string => digits.replace(/\d/g, (d) => set[+d]!);

function localise(text: string, f: NumberFormat): string {
  const [whole, rest] = text.replace("-", "").split(".");
  const grouped = whole!.replace(/\B(?=(\d{3})+$)/g, f.group);
  return (text.startsWith("-") ? MINUS : "") + grouped + (rest ? f.decimal + rest : "");
}

/** A number with so many decimals, grouped by thousands. */
export function fixed(value: number, decimals: number, f = form): string {
  const text = plain(value, decimals);
  return localise(/[1-9]/.test(text) ? text : text.replace("-", ""), f);
}

/** `toFixed` without its switch to powers of ten at 1e21. */
function plain(value: number, decimals: number): string {
  return Math.abs(value) < 1e21 ? value.toFixed(decimals) : BigInt(Math.round(value)).toString();
}

function split(value: number, digits: number): [string, number] {
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return [mantissa!, Number(exponent)];
}

function power(value: number, digits: number, f: NumberFormat): string {
  const [mantissa, exponent] = split(value, digits);
  const sign = exponent < 0 ? "⁻" : "";
  return `${localise(mantissa, f)}${SPACE}×${SPACE}10${sign}${small(String(Math.abs(exponent)), HIGH)}`;
}

function plainPrice(value: number, f: NumberFormat): string {
  if (Math.abs(value) >= PLAIN_BELOW) return power(value, 4, f);
  const exponent = split(value, 5)[1];
  if (value === 0 || exponent > 0) return fixed(value, 2, f);
  return exponent === 0 ? fixed(value, 4, f) : belowOne(value, f);
}

function belowOne(value: number, f: NumberFormat): string {
  const [mantissa, exponent] = split(value, 4);
  const zeros = -exponent - 1;
  if (zeros < COUNTED_ZEROS) {
    const text = value.toFixed(zeros + 4);
    const keep = text.indexOf(".") + 5;
    return localise(text.slice(0, keep) + text.slice(keep).replace(/0+$/, ""), f);
  }
  const digits = mantissa.replace(/[-.]/g, "").replace(/0+$/, "");
  return `${value < 0 ? MINUS : ""}0${f.decimal}0${small(String(zeros), LOW)}${digits}`;
}

/** A number in its pattern, such as a currency. */
export const wrap = (pattern: string, text: string): string => pattern.replace("{}", () => text);

/** How an amount is written: by significant digits, shortened from a million on, or in full. */
export type Kind = "price" | "money" | "money_full";

const WRITTEN: Record<Kind, (value: number, f: NumberFormat, currency: string) => string> = {
  price: (value, f, currency) => (hasCents(value, currency) ? plainPrice(value, f) : fixed(value, 0, f)),
  money: short,
  money_full: number,
};

/** An amount in a currency such as `EUR` or `BTC`. */
export function amount(kind: Kind, value: number, currency = "USD", f = form): string {
  return wrap(f.currencies[currency]!, WRITTEN[kind](value, f, currency));
}

/** A price in USD by significant digits. */
export const price = (value: number, f = form): string => amount("price", value, "USD", f);

/** An amount of USD, shortened from a million on. */
export const money = (value: number, f = form): string => amount("money", value, "USD", f);

/** Nobody writes the cents of currencies whose units are so small. */
function hasCents(value: number, currency: string): boolean {
  const size = Math.abs(value);
  return (currency !== "COP" && currency !== "JPY") || size < WHOLE_FROM || size >= PLAIN_BELOW;
}

/** A count, whole from a thousand on. */
function number(value: number, f: NumberFormat): string {
  if (Math.abs(value) >= PLAIN_BELOW) return power(value, 4, f);
  if (Math.abs(value) >= WHOLE_FROM || Number.isInteger(value)) return fixed(value, 0, f);
  return plainPrice(value, f);
}

/** A count, shortened from a million on. */
export const count = (value: number, f = form): string =>
  Math.abs(value) < SHORT_FROM ? number(value, f) : short(value, f);

function short(value: number, f: NumberFormat): string {
  if (Math.abs(value) < 1) return plainPrice(value, f);
  if (Math.abs(value) < SHORT_FROM) return fixed(value, Math.abs(value) >= WHOLE_FROM ? 0 : 2, f);
  const [mantissa, exponent] = split(value, 3);
  const shift = exponent % 3;
  const word = f.powers[String(exponent - shift)];
  if (word === undefined) return power(value, 3, f);
  return wrap(word, localise((Number(mantissa) * 10 ** shift).toFixed(2 - shift), f));
}

/** A part in percent, without a plus sign. */
export function share(value: number, decimals = 2, f = form): string {
  if (Math.abs(value) >= SHORT_FROM) return wrap(f.percent, power(value, 3, f));
  return wrap(f.percent, fixed(value, Math.abs(value) >= WHOLE_FROM ? 0 : decimals, f));
}

/** A change in percent with its sign. */
export const percent = (value: number, f = form): string =>
  (value >= 0.005 ? "+" : "") + share(value, 2, f);

/** The class of a change: up, down, or neither. */
export const direction = (value: number): string =>
  Math.abs(value) < 0.005 ? "" : value > 0 ? "u" : "d";
