/** The ledger of a window, from the files of `/data/`. */
import type { SlotOutcome } from "../chart/picture";
import { data } from "../edition";
import { monthsOf } from "./chunks";
import { outcomesOf, type LogColumns } from "./outcomes";

/** The outcomes of a window; the ledger begins at its first slot. */
export async function readOutcomes(start: number, end: number): Promise<SlotOutcome[]> {
  const files = monthsOf(start, end).map((month) => data<LogColumns>(`log/${month}.json`));
  const found = (await Promise.all(files)).flatMap((file) => (file ? outcomesOf(file) : []));
  return found.filter(({ slot }) => start <= slot && slot <= end);
}
