/** What a chart has besides its lines: gaps, grid, labels of values, and the simulated mark. */
import type uPlot from "uplot";

import type { Columns } from "./columns";
import { markLabel, roundStep, valueMarks } from "./ticks";

const TOP_SHARE = 0.06;

/** A colour of the style sheet, as it is in the theme of this moment. */
export function colour(self: uPlot, name: string): string {
  return getComputedStyle(self.root).getPropertyValue(name);
}

/** Gaps, grid and the simulated mark lie under the lines. */
export function paintUnder(self: uPlot, columns: Columns): void {
  const { ctx, bbox } = self;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  bands(self, columns);
  grid(self, columns);
  if (columns.mark) mark(self, columns.mark);
  ctx.restore();
}

function bands(self: uPlot, columns: Columns): void {
  self.ctx.fillStyle = colour(self, "--gap");
  for (const [start, end] of columns.bands) {
    const left = self.valToPos(start, "x", true);
    const right = self.valToPos(end, "x", true);
    self.ctx.fillRect(left, self.bbox.top, Math.max(right - left, 1), self.bbox.height);
  }
}

function grid(self: uPlot, columns: Columns): void {
  const { ctx, bbox } = self;
  const { min, max } = self.scales["y"]!;
  if (min == null || max == null) return;
  const step = roundStep(max - min);
  ctx.lineWidth = devicePixelRatio;
  for (const value of valueMarks(min, max, step)) {
    const y = Math.round(self.valToPos(value, "y", true));
    const zero = columns.percent && Math.abs(value) < step / 2;
    ctx.strokeStyle = colour(self, zero ? "--soft" : "--line");
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
}

/** The labels of the values lie over the lines, each in a halo that keeps it readable. */
export function paintOver(self: uPlot, columns: Columns): void {
  const { ctx, bbox } = self;
  const { min, max } = self.scales["y"]!;
  if (min == null || max == null) return;
  const step = roundStep(max - min);
  ctx.save();
  ctx.font = `${12 * devicePixelRatio}px ${getComputedStyle(self.root).fontFamily}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  ctx.lineJoin = "round";
  ctx.lineWidth = 4 * devicePixelRatio;
  ctx.strokeStyle = colour(self, "--card");
  ctx.fillStyle = colour(self, "--soft");
  for (const value of valueMarks(min, max, step)) {
    // At the very top there is no room above the line.
    if ((max - value) / (max - min) < TOP_SHARE) continue;
    const y = Math.round(self.valToPos(value, "y", true)) - 5 * devicePixelRatio;
    const text = markLabel(value, step, columns.percent);
    ctx.strokeText(text, bbox.left, y);
    ctx.fillText(text, bbox.left, y);
  }
  ctx.restore();
}

function mark(self: uPlot, text: string): void {
  const { ctx, bbox } = self;
  const size = Math.min(bbox.width / 8, bbox.height / 3, 72 * devicePixelRatio);
  ctx.font = `800 ${size}px ${getComputedStyle(self.root).fontFamily}`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillStyle = colour(self, "--mark");
  ctx.fillText(text, bbox.left + bbox.width / 2, bbox.top + bbox.height / 2);
}
