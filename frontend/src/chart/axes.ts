/** The labels of both axes, and the name of the time zone. */
import { zoneName } from "../zone";
import type { Frame } from "./frame";
import { timeMarks } from "./times";
import { marks } from "./units";
import { paintVolumeScale } from "./volume";

const SIZE_PX = 12;
const LABEL_SPACE_PX = 76;
const LABEL_DOWN_PX = 20;
const EDGE_PX = 20;
const ROOM_ABOVE_PX = 18;

/** The labels of the values lie under the lines, each in a halo that frees it from grid and bars. */
export function paintValues(frame: Frame): void {
  const { ctx, left, top, ratio, picture, values } = frame;
  ctx.font = `${SIZE_PX * ratio}px ${frame.font}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.lineJoin = "round";
  ctx.lineWidth = 4 * ratio;
  ctx.strokeStyle = frame.ink("--card");
  ctx.fillStyle = frame.ink("--soft");
  let last = Infinity;
  for (const { value, label } of marks(picture, ...values)) {
    const y = Math.round(frame.y(value));
    // At the very top there is no room above the line, and none between marks that are too near.
    if (y - top < ROOM_ABOVE_PX * ratio || Math.abs(last - y) < ROOM_ABOVE_PX * ratio) continue;
    ctx.strokeText(label, left, y - 5 * ratio);
    ctx.fillText(label, left, y - 5 * ratio);
    last = y;
  }
  paintVolumeScale(frame);
}

/** The times under the plot, and at the right end the zone that they are in. */
export function paintTimes(frame: Frame): void {
  const { ctx, left, top, width, height, strip, ratio, times } = frame;
  const y = top + height + strip + LABEL_DOWN_PX * ratio;
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "right";
  ctx.fillStyle = frame.ink("--soft");
  ctx.font = `${SIZE_PX * ratio}px ${frame.font}`;
  const zone = zoneText(times);
  ctx.fillText(zone, left + width, y);
  const room = left + width - ctx.measureText(zone).width - 12 * ratio;
  ctx.textAlign = "center";
  for (const mark of timeMarks(...times, width / ratio / LABEL_SPACE_PX)) {
    ctx.font = `${mark.midnight ? "600 " : ""}${SIZE_PX * ratio}px ${frame.font}`;
    const x = frame.x(mark.time);
    const half = ctx.measureText(mark.label).width / 2;
    if (x - half < left || x < left + EDGE_PX * ratio || x + half > room) continue;
    ctx.fillText(mark.label, x, y);
  }
}

/** Where the clocks change between the ends, both names. */
export function zoneText([start, end]: [number, number]): string {
  const [first, last] = [zoneName(start), zoneName(end)];
  return first === last ? first : `${first} / ${last}`;
}
