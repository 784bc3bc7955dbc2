/** The time zone that charts are read in: the reader's own, or UTC. */
import { form } from "./texts";

const OWN = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
let utc = OWN === "UTC" || OWN === "Etc/UTC";

export const onlyUtc = utc;
export const isUtc = (): boolean => utc;
export const zone = (): string => (utc ? "UTC" : OWN);
export const ownZone = OWN.replace(/_/g, " ");

export function toggleZone(): void {
  utc = !utc;
}

const DAY = 86400;
const parts = (time: number): Record<string, string> => {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone(),
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  });
  return Object.fromEntries(format.formatToParts(time * 1000).map((part) => [part.type, part.value]));
};

/** A moment with its zone: `26 Jan 2026, 13:00 GMT-5`. */
export function moment(time: number): string {
  const { year, month, day, hour, minute, timeZoneName } = parts(time);
  const name = form.months[Number(month) - 1] ?? "";
  const date = form.date.replace("{d}", String(Number(day))).replace("{m}", name).replace("{y}", year!);
  return `${date}, ${hour}:${minute}\u00a0${timeZoneName}`;
}

/** The label of a mark on the time axis whose marks are `step` seconds apart. */
export function axisLabel(time: number, step: number): string {
  const { year, month, day, hour, minute } = parts(time);
  const name = form.months[Number(month) - 1] ?? "";
  if (step >= 28 * DAY) return Number(month) === 1 ? year! : name;
  return step >= DAY || (hour === "00" && minute === "00") ? `${Number(day)} ${name}` : `${hour}:${minute}`;
}
