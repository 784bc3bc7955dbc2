/** Changes in percent, each line since its own first value above zero. */
import type { Value } from "../chart/picture";

export function sinceFirst(values: readonly Value[]): Value[] {
  const base = values.find((value) => value);
  if (!base) return values.map((value) => (value === undefined ? undefined : null));
  return values.map((value) => (value == null ? value : (value / base - 1) * 100));
}
