/** What became of each slot, for the strip under a chart. */
import type { SlotOutcome } from "../chart/picture";
import { t } from "../texts";
import { absolute } from "./decode";

/** A part of the ledger as it is written: a letter for each slot, a reason where there is one. */
export interface LogColumns {
  slots: number[];
  outcomes: string;
  reasons: Record<string, string>;
}

const OUTCOMES: Record<string, SlotOutcome["outcome"]> = { s: "stored", p: "partial", f: "failed", m: "missed" };
const REASONS: Record<string, string> = { p: "incomplete", m: "missed" };

export function outcomesOf({ slots, outcomes, reasons }: LogColumns): SlotOutcome[] {
  return absolute(slots).map((slot, index) => {
    const letter = outcomes[index]!;
    const code = reasons[index] ?? REASONS[letter];
    return { slot, outcome: OUTCOMES[letter] ?? "stored", reason: code ? t(`reason.${code}`) : "" };
  });
}
