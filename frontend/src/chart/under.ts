/** What lies under the lines: gaps, grid, the simulated mark, and the volume. */
import { t } from "../texts";
import type { Frame } from "./frame";
import { marks, volumeText } from "./units";

const HATCH_PX = 7;
const VOLUME_SHARE = 0.2;

export function paintUnder(frame: Frame): void {
  bands(frame);
  if (frame.picture.volume) volume(frame, frame.picture.volume);
  grid(frame);
  if (frame.picture.mark) mark(frame, frame.picture.mark);
}

/** Gaps are washed and hatched: nothing was recorded there. */
function bands(frame: Frame): void {
  const { ctx, picture, top, height, ratio } = frame;
  for (const { start, end } of picture.bands) {
    const left = Math.max(frame.x(start), frame.left);
    const right = Math.min(frame.x(end), frame.left + frame.width);
    if (right < left) continue;
    const width = Math.max(right - left, ratio);
    ctx.fillStyle = frame.ink("--gap");
    ctx.fillRect(left, top, width, height);
    if (width > HATCH_PX * ratio) hatch(frame, left, width);
  }
}

function hatch(frame: Frame, left: number, width: number): void {
  const { ctx, top, height, ratio } = frame;
  const step = HATCH_PX * ratio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.beginPath();
  // Lines of one pattern over the whole plot: what is panned does not flicker.
  const from = Math.floor((left - frame.left - height) / step) * step + frame.left;
  for (let x = from; x < left + width; x += step) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.lineWidth = ratio;
  ctx.strokeStyle = frame.ink("--gap");
  ctx.stroke();
  ctx.restore();
}

function grid(frame: Frame): void {
  const { ctx, left, width, ratio, values, picture } = frame;
  ctx.lineWidth = ratio;
  for (const { value, zero } of marks(picture, ...values)) {
    const y = Math.round(frame.y(value)) + (ratio % 2) / 2;
    ctx.strokeStyle = frame.ink(zero ? "--soft" : "--line");
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(left + width, y);
    ctx.stroke();
  }
}

function mark(frame: Frame, text: string): void {
  const { ctx, left, top, width, height, ratio } = frame;
  const size = Math.min(width / 8, height / 3, 72 * ratio);
  ctx.font = `800 ${size}px ${frame.font}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = frame.ink("--mark");
  ctx.fillText(text, left + width / 2, top + height / 2);
}

/** Bars in the lowest fifth, by a scale of their own: of those that share a pixel the highest. */
function volume(frame: Frame, amounts: ArrayLike<number | null | undefined>): void {
  const { ctx, picture, top, height, ratio, times } = frame;
  const bars: [number, number, number][] = [];
  let most = 0;
  for (let index = 0; index < picture.times.length; index++) {
    const amount = amounts[index];
    const end = picture.times[index + 1] ?? picture.end;
    if (amount == null || end < times[0] || picture.times[index]! > times[1]) continue;
    most = Math.max(most, amount);
    const left = Math.round(frame.x(picture.times[index]!));
    const last = bars[bars.length - 1];
    if (last && left - last[0] < 2 * ratio) last[2] = Math.max(last[2], amount);
    else bars.push([left, left + usual(frame, index), amount]);
  }
  if (!most) return;
  ctx.fillStyle = frame.ink("--volume");
  const floor = top + height;
  for (const [left, right, amount] of bars) {
    const tall = Math.max((amount / most) * height * VOLUME_SHARE, ratio);
    ctx.fillRect(left, floor - tall, Math.max(right - left - ratio, ratio), tall);
  }
  scaleOf(frame, most);
}

/** How wide a bar is: to the next point, but not across a gap. */
function usual({ picture, x, ratio }: Frame, index: number): number {
  const { times } = picture;
  const after = (times[index + 1] ?? Infinity) - times[index]!;
  const before = times[index]! - (times[index - 1] ?? -Infinity);
  const span = Math.min(after, before);
  return Math.max(Number.isFinite(span) ? x(times[index]! + span) - x(times[index]!) : 2 * ratio, 2 * ratio);
}

function scaleOf(frame: Frame, most: number): void {
  const { ctx, left, top, width, height, ratio } = frame;
  ctx.font = `${11 * ratio}px ${frame.font}`;
  ctx.textAlign = "right";
  ctx.textBaseline = "alphabetic";
  const text = t("volume", { amount: `≤ ${volumeText(frame.picture, most)}` });
  const y = top + height * (1 - VOLUME_SHARE) - 4 * ratio;
  ctx.lineJoin = "round";
  ctx.lineWidth = 4 * ratio;
  ctx.strokeStyle = frame.ink("--card");
  ctx.fillStyle = frame.ink("--soft");
  ctx.strokeText(text, left + width - 2 * ratio, y);
  ctx.fillText(text, left + width - 2 * ratio, y);
}
