/** What lies under the lines: gaps, grid, the simulated mark, and the volume. */
import type { Frame } from "./frame";
import { marks } from "./units";
import { paintVolume } from "./volume";

const HATCH_PX = 7;

export function paintUnder(frame: Frame): void {
  bands(frame);
  paintVolume(frame);
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

