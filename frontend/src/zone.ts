/** The time zone that times are read in: the reader's own, or UTC. */
import { form } from "./texts";

const OWN = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const listeners = new Set<() => void>();
let utc = OWN === "UTC" || OWN === "Etc/UTC";

export const onlyUtc = utc;
export const isUtc = (): boolean => utc;
export const zone = (): string => (utc ? "UTC" : OWN);
export const ownZone = OWN.replace(/_/g, " ");

export function toggleZone(): void {
  utc = !utc;
  for (const listener of listeners) listener();
}

/** Be told when a reader takes the other zone; the function returned ends that. */
export function onZone(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What the clock on the wall shows at an instant, as if it stood in UTC (seconds). */
export function wall(instant: number): number {
  return utc ? instant : instant - new Date(instant * 1000).getTimezoneOffset() * 60;
}

const DAY = 86400;

/**
 * The first instant at which the clock on the wall shows a time; where a change of the clocks leaves
 * it out, the instant of that change.
 */
export function instant(shown: number): number {
  const before = shown - (wall(shown - DAY) - (shown - DAY));
  const after = shown - (wall(shown + DAY) - (shown + DAY));
  return wall(Math.min(before, after)) === shown ? Math.min(before, after) : Math.max(before, after);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The short name of the zone at an instant: `GMT-5`. */
export function zoneName(time: number): string {
  let format = formats.get(zone());
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { timeZone: zone(), timeZoneName: "short" });
    formats.set(zone(), format);
  }
  return format.formatToParts(time * 1000).find((part) => part.type === "timeZoneName")?.value ?? zone();
}

const two = (number: number): string => String(number).padStart(2, "0");

/** A day as the page's language writes it, with its year or without. */
export function day(time: number, year = true): string {
  const date = new Date(wall(time) * 1000);
  const name = form.months[date.getUTCMonth()] ?? "";
  if (!year) return `${date.getUTCDate()} ${name}`;
  const text = form.date.replace("{d}", String(date.getUTCDate())).replace("{m}", name);
  return text.replace("{y}", String(date.getUTCFullYear()));
}

export function clock(time: number): string {
  const date = new Date(wall(time) * 1000);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** A moment with its zone: `26 Jan 2026, 13:00 GMT-5`. */
export function moment(time: number): string {
  return `${day(time)}, ${clock(time)}\u00a0${zoneName(time)}`;
}
