/** The volume under a price: quiet bars in the lowest fifth, by a scale of their own. */
import { t } from "../texts";
import type { Frame } from "./frame";
import { volumeText } from "./units";

const SHARE = 0.2;
const SIZE_PX = 11;
/** Bars stand apart where there is room; narrower ones share a column, and the highest is drawn. */
const APART_FROM_PX = 4;
const NARROW_PX = 2;

interface Bar {
  left: number;
  right: number;
  amount: number;
}

export function paintVolume(frame: Frame): void {
  const { ctx, top, height, ratio } = frame;
  const bars = barsOf(frame);
  const most = highest(bars);
  ctx.fillStyle = frame.ink("--volume");
  for (const { left, right, amount } of bars) {
    const tall = Math.max((amount / most) * height * SHARE, ratio);
    const apart = right - left >= APART_FROM_PX * ratio ? ratio : 0;
    ctx.fillRect(left, top + height - tall, right - left - apart, tall);
  }
}

const highest = (bars: readonly Bar[]): number => bars.reduce((most, bar) => Math.max(most, bar.amount), 0) || 1;

/** Bars around their points, as wide as the time between two. */
function barsOf(frame: Frame): Bar[] {
  const { picture, ratio, times } = frame;
  const bars: Bar[] = [];
  picture.volume?.forEach((amount, index) => {
    const half = widthAt(picture.times, index) / 2;
    const time = picture.times[index]!;
    if (amount == null || time + half < times[0] || time - half > times[1]) return;
    const left = Math.round(frame.x(time - half));
    const right = Math.max(Math.round(frame.x(time + half)), left + NARROW_PX * ratio);
    const last = bars[bars.length - 1];
    if (last && right - last.left < 2 * NARROW_PX * ratio) last.amount = Math.max(last.amount, amount);
    else bars.push({ left: Math.max(left, last?.right ?? left), right, amount });
  });
  return bars;
}

/** To the nearer neighbour: no bar reaches across a gap. */
function widthAt(times: readonly number[], index: number): number {
  const after = (times[index + 1] ?? Infinity) - times[index]!;
  const before = times[index]! - (times[index - 1] ?? -Infinity);
  const span = Math.min(after, before);
  return Number.isFinite(span) ? span : 0;
}

/** How much the highest bar stands for, over the lines in a halo that keeps it readable. */
export function paintVolumeScale(frame: Frame): void {
  const { ctx, left, top, width, height, ratio } = frame;
  const bars = barsOf(frame);
  if (!bars.length) return;
  ctx.font = `${SIZE_PX * ratio}px ${frame.font}`;
  ctx.textAlign = "right";
  const text = t("volume", { amount: `≤ ${volumeText(frame.picture, highest(bars))}` });
  const place = [left + width - 2 * ratio, top + height * (1 - SHARE) - 4 * ratio] as const;
  ctx.strokeText(text, ...place);
  ctx.fillText(text, ...place);
}
