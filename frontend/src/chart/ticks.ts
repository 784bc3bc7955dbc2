/** Where an axis of values has its marks, by the same rule as the server's `ticks.py`. */
import { fixed, share, wrap } from "../format";
import { form } from "../texts";

const TINY = 1e-9;
const STEPS = [1, 2, 2.5, 5, 10];
const MARKS = 5;
/** Less than this many powers of ten are marked by even steps on a logarithmic axis, too. */
const FEW_POWERS = 0.7;
const MANTISSAS = [[1, 2, 5], [1, 3], [1]];

/** The range of an axis: the values with some air, never of no height. */
export function bounds(low: number, high: number, percent: boolean): [number, number] {
  if (percent) {
    const air = (high - low) * 0.06 || 1;
    return [low - air, high + air];
  }
  const air = (high - low) * 0.06 || Math.abs(high) * 0.02 || 1;
  const floor = low - air;
  return [floor < 0 && low >= 0 ? 0 : floor, high + air];
}

/** The range of a logarithmic axis, by the same air in powers of ten. */
export function logBounds(low: number, high: number): [number, number] {
  const air = (high / low) ** 0.06;
  return air > 1.0001 ? [low / air, high * air] : [low / 1.02, high * 1.02];
}

/** The range of an axis of ranks: half a place more on both sides. */
export function rankBounds(low: number, high: number): [number, number] {
  const air = Math.max((high - low) * 0.06, 0.6);
  return [low - air, high + air];
}

export function roundStep(span: number, count = MARKS): number {
  const rough = Math.max(span / count, 1e-300);
  const ten = 10 ** Math.floor(Math.log10(rough));
  return (STEPS.find((step) => step * ten >= rough * (1 - 1e-9)) ?? 10) * ten;
}

/** A step for what comes in whole numbers only. */
export function wholeStep(span: number): number {
  const step = Math.max(1, roundStep(span));
  return Number.isInteger(step) ? step : step * 2;
}

export function valueMarks(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

/** The marks of a logarithmic axis: 1, 2 and 5 of each power of ten, fewer where they are many. */
export function logMarks(low: number, high: number): number[] {
  const powers = Math.log10(high / low);
  if (powers < FEW_POWERS) return valueMarks(low, high, roundStep(high - low));
  for (const mantissas of MANTISSAS) {
    const marks = powersOf(low, high, mantissas, 1);
    if (marks.length <= MARKS + 2) return marks;
  }
  return powersOf(low, high, [1], Math.ceil(powers / MARKS));
}

function powersOf(low: number, high: number, mantissas: number[], stride: number): number[] {
  const marks: number[] = [];
  const first = Math.floor(Math.floor(Math.log10(low)) / stride) * stride;
  for (let exponent = first; 10 ** exponent <= high; exponent += stride) {
    // Read as text, for 5e-7 is not 5 times 1e-7.
    marks.push(...mantissas.map((mantissa) => Number(`${mantissa}e${exponent}`)));
  }
  return marks.filter((mark) => mark >= low && mark <= high);
}

function decimals(step: number): number {
  if (step >= 1 && Number.isInteger(step)) return 0;
  const places = Math.max(1, -Math.floor(Math.log10(step)));
  const scaled = step * 10 ** places;
  return Math.abs(scaled - Math.round(scaled)) < 1e-6 ? places : places + 1;
}

/** `+20%`, by as many digits as tell two marks apart; `share` leaves the plus sign out. */
export function percentLabel(value: number, step: number, signed = true): string {
  return (signed && value > step / 2 ? "+" : "") + share(value, decimals(step));
}

/** An amount in a pattern such as `${}`, by as many digits as tell two marks apart. */
export function amountLabel(
  value: number,
  step: number,
  pattern: string,
  full: (value: number) => string,
): string {
  const largest = Math.max(Math.abs(value), step);
  if (step < TINY || largest >= 1e15) return full(value);
  if (largest < 1e6) return wrap(pattern, fixed(value, decimals(step)));
  const exponent = Math.floor(Math.floor(Math.log10(largest) + TINY) / 3) * 3;
  const scaled = fixed(value / 10 ** exponent, decimals(step / 10 ** exponent));
  return wrap(pattern, wrap(form.powers[String(exponent)] ?? "{}", scaled));
}
