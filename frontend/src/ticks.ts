/** The marks of the value axis, by the same rule as the server's `ticks.py`. */
import { fixed, price, share, wrap } from "./format";
import { form } from "./texts";

const TINY = 1e-9;
const STEPS = [1, 2, 2.5, 5, 10];

/** The range of the value axis: the values with some air, never of no height. */
export function bounds(low: number, high: number, percent: boolean): [number, number] {
  if (percent) {
    const air = (high - low) * 0.06 || 1;
    return [low - air, high + air];
  }
  const air = (high - low) * 0.06 || Math.abs(high) * 0.02 || 1;
  const floor = low - air;
  return [floor < 0 && low >= 0 ? 0 : floor, high + air];
}

export function roundStep(span: number, count = 5): number {
  const rough = Math.max(span / count, 1e-300);
  const ten = 10 ** Math.floor(Math.log10(rough));
  return (STEPS.find((step) => step * ten >= rough * (1 - 1e-9)) ?? 10) * ten;
}

export function valueMarks(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
}

function decimals(step: number): number {
  if (step >= 1 && Number.isInteger(step)) return 0;
  const places = Math.max(1, -Math.floor(Math.log10(step)));
  const scaled = step * 10 ** places;
  return Math.abs(scaled - Math.round(scaled)) < 1e-6 ? places : places + 1;
}

export function markLabel(value: number, step: number, percent: boolean): string {
  if (percent) return (value > step / 2 ? "+" : "") + share(value, decimals(step));
  const largest = Math.max(Math.abs(value), step);
  if (step < TINY || largest >= 1e15) return price(value);
  if (largest < 1e6) return wrap(form.money, fixed(value, decimals(step)));
  const exponent = Math.floor(Math.floor(Math.log10(largest) + TINY) / 3) * 3;
  const scaled = fixed(value / 10 ** exponent, decimals(step / 10 ** exponent));
  return wrap(form.money, wrap(form.powers[String(exponent)] ?? "{}", scaled));
}
