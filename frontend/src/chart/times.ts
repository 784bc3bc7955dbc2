/** Where the axis of times has its marks: at round hours, days and months of the reader's clock. */
import { clock, day, instant, wall } from "../zone";
import { form } from "../texts";

export interface TimeMark {
  time: number;
  label: string;
  /** Whether a new day begins there, on an axis of hours. */
  midnight: boolean;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const WITHIN_A_DAY = [1, 5, 10, 15, 30, 60, 120, 180, 360, 720].map((minutes) => minutes * MINUTE);
const DAYS = [1, 2, 4, 7, 14];
const MONTHS = [1, 2, 3, 6, 12, 24, 48, 120];
const MONTH = 30.4 * DAY;

/** At most about so many marks between two instants (seconds). */
export function timeMarks(start: number, end: number, most: number): TimeMark[] {
  const rough = Math.max((end - start) / Math.max(most, 1), 1);
  const step = WITHIN_A_DAY.find((one) => one >= rough);
  if (step) return hourMarks(start, end, step);
  const days = DAYS.find((count) => count * DAY >= rough);
  if (days) return dayMarks(start, end, days);
  return monthMarks(start, end, MONTHS.find((count) => count * MONTH >= rough) ?? MONTHS[MONTHS.length - 1]!);
}

/**
 * Marks by the clock on the wall: a night that lacks an hour lacks its mark, and one that has an hour
 * twice is marked at the first.
 */
function hourMarks(start: number, end: number, step: number): TimeMark[] {
  const marks: TimeMark[] = [];
  for (let shown = Math.floor((wall(start) - HOUR) / step) * step; shown <= wall(end) + HOUR; shown += step) {
    const time = instant(shown);
    const midnight = shown % DAY === 0;
    if (time < start || time > end || (wall(time) !== shown && !midnight)) continue;
    marks.push({ time, label: midnight ? day(time, false) : clock(time), midnight });
  }
  return marks;
}

function dayMarks(start: number, end: number, days: number): TimeMark[] {
  const marks: TimeMark[] = [];
  const step = days * DAY;
  for (let shown = Math.floor(wall(start) / step) * step; shown <= wall(end); shown += step) {
    const time = instant(shown);
    if (time >= start && time <= end) marks.push({ time, label: day(time, false), midnight: false });
  }
  return marks;
}

function monthMarks(start: number, end: number, months: number): TimeMark[] {
  const marks: TimeMark[] = [];
  const first = new Date(wall(start) * 1000);
  const from = first.getUTCFullYear() * 12 + first.getUTCMonth();
  for (let index = Math.floor(from / months) * months; ; index += months) {
    const time = instant(Date.UTC(Math.floor(index / 12), index % 12) / 1000);
    if (time > end) return marks;
    const label = index % 12 ? (form.months[index % 12] ?? "") : String(index / 12);
    if (time >= start) marks.push({ time, label, midnight: false });
  }
}
