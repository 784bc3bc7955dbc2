/** Several lines on one axis of time: every slot of any of them, and what each has there. */
import type { Value } from "../chart/picture";
import type { Column, Series } from "./decode";

export interface Aligned {
  slots: number[];
  times: number[];
  /** By line: `null` in its gaps and where it is unknown, `undefined` where it merely has no point. */
  values: Value[][];
  backfilled: boolean[][];
}

export function align(lines: readonly Series[], columns: readonly Column[], start: number, end: number): Aligned {
  const times = slotTimes(lines, start, end);
  const slots = [...times.keys()].sort((one, other) => one - other);
  const place = new Map(slots.map((slot, index) => [slot, index]));
  let latest = 0;
  return {
    slots,
    // A slot that was observed late must not stand behind the one after it.
    times: slots.map((slot) => (latest = Math.max(latest, times.get(slot)!))),
    values: lines.map((line, index) => spread(line, columns[index]!, slots, place)),
    backfilled: lines.map((line) => marks(line, place, slots.length)),
  };
}

/** Where a line breaks there is a time without a point. */
function slotTimes(lines: readonly Series[], start: number, end: number): Map<number, number> {
  const times = new Map<number, number>();
  for (const { gaps } of lines) {
    for (const [from] of gaps) if (start < from && from < end) times.set(from, from);
  }
  for (const line of lines) line.slots.forEach((slot, index) => times.set(slot, line.times[index]!));
  return times;
}

function spread(line: Series, column: Column, slots: readonly number[], place: Map<number, number>): Value[] {
  const values = new Array<Value>(slots.length).fill(undefined);
  for (const [from, to] of line.gaps) {
    const first = place.get(from);
    if (first === undefined) continue;
    for (let index = first; index < slots.length && slots[index]! < to; index++) values[index] = null;
  }
  line.slots.forEach((slot, index) => (values[place.get(slot)!] = column[index] ?? null));
  return values;
}

function marks(line: Series, place: Map<number, number>, length: number): boolean[] {
  const found = new Array<boolean>(length).fill(false);
  if (line.backfilled.includes(true)) {
    line.slots.forEach((slot, index) => (found[place.get(slot)!] = line.backfilled[index]!));
  }
  return found;
}
