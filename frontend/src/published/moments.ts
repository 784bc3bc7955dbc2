/** Moments as the server writes them: in UTC, in the words of the page's language. */
import { form } from "../texts";

/** A moment as it stands in `<time datetime>`. */
export const machine = (moment: number): string => new Date(moment * 1000).toISOString().replace(".000", "");

export const clock = (moment: number): string => machine(moment).slice(11, 16);

/** `26 Jan 2026, 18:00 UTC`. */
export function inFull(moment: number): string {
  const date = new Date(moment * 1000);
  const day = form.date.replace("{d}", String(date.getUTCDate())).replace("{m}", form.months[date.getUTCMonth()]!);
  return `${day.replace("{y}", String(date.getUTCFullYear()))}, ${clock(moment)}\u00a0UTC`;
}
