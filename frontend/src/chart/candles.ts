/** Candles: hollow where the price rose, filled where it fell, dashed while they are not whole. */
import type { Frame } from "./frame";
import type { Candle, Picture } from "./picture";
import type { View } from "./view";

const GAP_SHARE = 0.22;
const THIN_PX = 3;

export function paintCandles(frame: Frame, candles: readonly Candle[]): void {
  const { ctx, ratio, picture } = frame;
  ctx.lineJoin = "miter";
  for (const candle of candles) {
    if (candle.end < frame.times[0] || candle.start > frame.times[1]) continue;
    if (picture.scale === "log" && candle.low <= 0) continue;
    paint(frame, candle);
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
  ctx.lineWidth = ratio;
}

function paint(frame: Frame, candle: Candle): void {
  const { ctx, ratio } = frame;
  const rose = candle.close >= candle.open;
  const colour = frame.ink(rose ? "--up" : "--down");
  ctx.strokeStyle = colour;
  ctx.fillStyle = rose ? frame.ink("--card") : colour;
  ctx.lineWidth = 1.25 * ratio;
  ctx.globalAlpha = candle.complete ? 1 : 0.75;
  ctx.setLineDash(candle.complete ? [] : [2.5 * ratio, 2 * ratio]);
  const left = frame.x(candle.start);
  const width = frame.x(candle.end) - left;
  const middle = Math.round(left + width / 2) + 0.5;
  const [top, bottom] = [frame.y(Math.max(candle.open, candle.close)), frame.y(Math.min(candle.open, candle.close))];
  wick(frame, middle, frame.y(candle.high), width < THIN_PX * ratio ? frame.y(candle.low) : top);
  if (width < THIN_PX * ratio) return;
  wick(frame, middle, bottom, frame.y(candle.low));
  const inset = Math.max(width * GAP_SHARE, ratio) / 2;
  body(frame, [left + inset, top, width - 2 * inset, Math.max(bottom - top, ratio)], candle, rose);
}

function wick({ ctx }: Frame, x: number, from: number, to: number): void {
  ctx.beginPath();
  ctx.moveTo(x, from);
  ctx.lineTo(x, to);
  ctx.stroke();
}

function body({ ctx }: Frame, [x, y, width, height]: number[], candle: Candle, rose: boolean): void {
  ctx.beginPath();
  ctx.rect(Math.round(x!) + 0.5, Math.round(y!) + 0.5, Math.max(Math.round(width!) - 1, 1), Math.round(height!));
  // One that is not whole yet lets its inside shine through.
  if (rose) ctx.fill();
  else {
    ctx.globalAlpha = candle.complete ? 1 : 0.35;
    ctx.fill();
    ctx.globalAlpha = candle.complete ? 1 : 0.75;
  }
  ctx.stroke();
}

/** The lowest low and the highest high of the candles in sight. */
export function extremes({ candles, scale }: Picture, { from, to }: View): [number, number] | undefined {
  const seen = candles!.filter(({ start, end, low }) => end > from && start < to && (scale !== "log" || low > 0));
  if (!seen.length) return undefined;
  return [Math.min(...seen.map((candle) => candle.low)), Math.max(...seen.map((candle) => candle.high))];
}
