/** Values of a picture in words: in full for the legend, short for the axis. */
import { fixed, percent, share } from "../format";
import { moneyIn, priceIn } from "../money";
import type { Picture } from "./picture";
import { amountLabel, logMarks, percentLabel, roundStep, valueMarks, wholeStep } from "./ticks";

export interface Mark {
  value: number;
  label: string;
  /** The line of no change. */
  zero: boolean;
}

const PLAIN = "{}";
const WHOLE_FROM = 1000;

export const isMoney = ({ unit }: Picture): boolean =>
  unit !== "coins" && unit !== "rank" && unit !== "share";

/** A value as it is, in the picture's unit. */
export function exact(picture: Picture, value: number, symbol = ""): string {
  if (picture.unit === "rank") return `#${fixed(value, 0)}`;
  if (picture.unit === "share") return share(value);
  if (picture.unit !== "coins") return priceIn(picture.unit, value);
  return `${fixed(value, Math.abs(value) < WHOLE_FROM ? 2 : 0)}\u00a0${symbol}`.trim();
}

/** An amount of the volume, which is always money. */
export function volumeText(picture: Picture, value: number): string {
  return isMoney(picture) ? moneyIn(picture.unit, value) : fixed(value, 0);
}

/** A change since the range began; a place or a share changes by other measures. */
export function changeText(picture: Picture, change: number): string {
  return picture.unit === "rank" || picture.unit === "share" ? "" : percent(change);
}

/** The marks of the axis of values between two bounds. */
export function marks(picture: Picture, low: number, high: number): Mark[] {
  if (picture.unit === "rank" && picture.scale !== "percent") return rankMarks(low, high);
  if (picture.scale === "log") {
    return logMarks(low, high).map((value) => ({ value, label: logLabel(picture, value, low, high), zero: false }));
  }
  const step = roundStep(high - low);
  return valueMarks(low, high, step).map((value) => ({
    value,
    label: label(picture, value, step),
    zero: picture.scale === "percent" && Math.abs(value) < step / 2,
  }));
}

function rankMarks(low: number, high: number): Mark[] {
  const step = wholeStep(high - low);
  const places = valueMarks(low, high, step).filter((place) => place >= 1);
  // The first place is the best there is: it has a mark where it is in sight.
  if (low < 1 && places[0] !== 1) places.unshift(1);
  return places.map((value) => ({ value, label: `#${fixed(value, 0)}`, zero: false }));
}

function logLabel(picture: Picture, value: number, low: number, high: number): string {
  const even = roundStep(high - low);
  const own = Number(`1e${Math.floor(Math.log10(value) + 1e-9)}`);
  return label(picture, value, Math.min(even, own));
}

function label(picture: Picture, value: number, step: number): string {
  if (picture.scale === "percent") return percentLabel(value, step);
  if (picture.unit === "share") return percentLabel(value, step, false);
  if (picture.unit === "coins") return amountLabel(value, step, PLAIN, (all) => fixed(all, 0));
  return amountLabel(value, step, patternOf(picture.unit), (all) => priceIn(picture.unit, all));
}

/** How a currency is written around its number: `${}`. */
function patternOf(unit: string): string {
  return priceIn(unit, 0).replace(/\d[\d.,]*/, PLAIN);
}
