/** The rectangle that a picture is painted into, on the page's canvas or on that of a PNG. */
import type uPlot from "uplot";

import type { Picture } from "./picture";

export interface Frame {
  ctx: CanvasRenderingContext2D;
  picture: Picture;
  /** Pixels of the canvas for one of the page; all lengths here are pixels of the canvas. */
  ratio: number;
  left: number;
  top: number;
  width: number;
  height: number;
  /** The strip of outcomes under the plot; 0 where the box has no room for one. */
  strip: number;
  /** The bounds of what is shown: times, and values. */
  times: [number, number];
  values: [number, number];
  x(time: number): number;
  y(value: number): number;
  /** A colour of the style sheet, as it is in the theme of this moment. */
  ink(name: string): string;
  font: string;
}

export function frameOf(plot: uPlot, picture: Picture, strip: number, ctx = plot.ctx, ratio = 0): Frame {
  const own = plot.bbox.width / plot.over.clientWidth || devicePixelRatio;
  const scale = ratio ? ratio / own : 1;
  const style = getComputedStyle(plot.root);
  const { x, y } = { x: plot.scales["x"]!, y: plot.scales["y"]! };
  return {
    ctx,
    picture,
    ratio: own * scale,
    left: plot.bbox.left * scale,
    top: plot.bbox.top * scale,
    width: plot.bbox.width * scale,
    height: plot.bbox.height * scale,
    strip: strip * own * scale,
    times: [x.min ?? picture.start, x.max ?? picture.end],
    values: [y.min ?? 0, y.max ?? 1],
    x: (time) => plot.valToPos(time, "x", true) * scale,
    y: (value) => plot.valToPos(value, "y", true) * scale,
    ink: (name) => style.getPropertyValue(name).trim(),
    font: style.fontFamily,
  };
}

/** Paint within the plot alone. */
export function clipped(frame: Frame, paint: () => void): void {
  const { ctx, left, top, width, height } = frame;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  paint();
  ctx.restore();
}

/** Where colours are the system's, lines differ by their dashes alone. */
export const systemColours = (): boolean => matchMedia("(forced-colors: active)").matches;
