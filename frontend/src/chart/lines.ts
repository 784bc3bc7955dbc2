/** Lines and areas: broken at the gaps, dashed where they were backfilled, lone points as dots. */
import type { AlignedData } from "uplot";

import { systemColours, type Frame } from "./frame";
import type { Line } from "./picture";

interface Spot {
  x: number;
  y: number;
  backfilled: boolean;
}

type Run = Spot[];

const LONE_RADIUS = 3;
const DOT_RADIUS = 2.4;
/** Points stand out as dots where they are so far apart. */
const DOTS_FROM_PX = 16;
const MANY_LINES = 3;
const CROWDED_PER_PX = 2;
const BACKFILLED_DASH = [2, 4];
const LATER_DASH = [8, 4];
const SYSTEM_DASHES = [[], [8, 4], [2, 3], [12, 4, 2, 4], [4, 4], [16, 4], [6, 2, 2, 2], [1, 5], [10, 8], [3, 8]];

export function paintLines(frame: Frame, data: AlignedData): void {
  const runs = frame.picture.lines.map((line, index) => runsOf(frame, data, index + 1, line));
  if (frame.picture.form === "area") runs.forEach((run, index) => run.forEach((one) => fill(frame, one, index)));
  // The first line is the one that was asked for: it lies on top.
  for (let index = runs.length - 1; index >= 0; index--) {
    const dots = sparse(frame, runs[index]!);
    for (const run of runs[index]!) stroke(frame, run, index);
    for (const run of runs[index]!) if (dots || run.length === 1) points(frame, run, index);
  }
}

/** The visible stretches of a line without a break, with the next points on either side. */
function runsOf(frame: Frame, data: AlignedData, series: number, line: Line): Run[] {
  const times = data[0];
  const values = data[series]!;
  const [from, to] = outwards(times, values, frame.times);
  const runs: Run[] = [];
  let run: Run = [];
  for (let index = from; index <= to; index++) {
    const value = values[index];
    if (value === undefined) continue;
    if (value === null) {
      if (run.length) runs.push(run);
      run = [];
    } else run.push({ x: frame.x(times[index]!), y: frame.y(value), backfilled: !!line.backfilled[index] });
  }
  if (run.length) runs.push(run);
  const count = runs.reduce((sum, one) => sum + one.length, 0);
  return count > frame.width * CROWDED_PER_PX ? runs.map(thinned) : runs;
}

function outwards(
  times: ArrayLike<number>,
  values: ArrayLike<unknown>,
  [start, end]: [number, number],
): [number, number] {
  let from = after(times, start) - 1;
  let to = after(times, end);
  while (from > 0 && values[from] === undefined) from--;
  while (to < times.length - 1 && values[to] === undefined) to++;
  return [Math.max(from, 0), Math.min(to, times.length - 1)];
}

/** The index of the first time after a moment. */
export function after(times: ArrayLike<number>, moment: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of many spots in one column of pixels the first, the outermost and the last. */
function thinned(run: Run): Run {
  const kept: Run = [];
  for (let start = 0; start < run.length; ) {
    let end = start;
    let low = start;
    let high = start;
    const column = Math.round(run[start]!.x);
    for (; end < run.length && Math.round(run[end]!.x) === column; end++) {
      if (run[end]!.y < run[low]!.y) low = end;
      if (run[end]!.y > run[high]!.y) high = end;
    }
    const chosen = [...new Set([start, Math.min(low, high), Math.max(low, high), end - 1])];
    for (const index of chosen) kept.push(run[index]!);
    start = end;
  }
  return kept;
}

function sparse(frame: Frame, runs: Run[]): boolean {
  const all = runs.flat();
  if (all.length < 2) return true;
  const room = (all[all.length - 1]!.x - all[0]!.x) / (all.length - 1);
  // Many lines are busy enough.
  const many = frame.picture.lines.length > MANY_LINES ? 2 : 1;
  return room >= DOTS_FROM_PX * many * frame.ratio;
}

function pen(frame: Frame, index: number): void {
  const { ctx, ratio, picture } = frame;
  ctx.lineWidth = (picture.lines.length > 1 ? 1.75 : 2) * ratio;
  ctx.lineJoin = "round";
  ctx.lineCap = "butt";
  ctx.strokeStyle = frame.ink(`--s${index + 1}`);
}

function stroke(frame: Frame, run: Run, index: number): void {
  const { ctx } = frame;
  pen(frame, index);
  for (let start = 0; start < run.length - 1; ) {
    const backfilled = dashedAt(run, start);
    let end = start + 1;
    while (end < run.length - 1 && dashedAt(run, end) === backfilled) end++;
    ctx.setLineDash(dash(frame, index, backfilled));
    ctx.globalAlpha = backfilled ? 0.8 : 1;
    trace(ctx, run, start, end);
    ctx.stroke();
    start = end;
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/** A stroke between two points is as sure as the less sure of them. */
const dashedAt = (run: Run, index: number): boolean => run[index]!.backfilled || run[index + 1]!.backfilled;

function dash({ ratio }: Frame, index: number, backfilled: boolean): number[] {
  const own = systemColours() ? SYSTEM_DASHES[index % SYSTEM_DASHES.length]! : index >= 5 ? LATER_DASH : [];
  return (backfilled ? BACKFILLED_DASH : own).map((length) => length * ratio);
}

function trace(ctx: CanvasRenderingContext2D, run: Run, start: number, end: number): void {
  ctx.beginPath();
  ctx.moveTo(run[start]!.x, run[start]!.y);
  for (let index = start + 1; index <= end; index++) ctx.lineTo(run[index]!.x, run[index]!.y);
}

/** From the line down to the floor, or to the line of no change. */
function fill(frame: Frame, run: Run, index: number): void {
  if (run.length < 2) return;
  const { ctx, top, height, picture } = frame;
  const floor = picture.scale === "percent" ? frame.y(0) : top + height;
  const gradient = ctx.createLinearGradient(0, top, 0, top + height);
  const level = Math.min(Math.max((floor - top) / height, 0), 1);
  gradient.addColorStop(0, frame.ink(`--s${index + 1}`));
  gradient.addColorStop(level, clear(frame, index));
  if (level < 1) gradient.addColorStop(1, frame.ink(`--s${index + 1}`));
  trace(ctx, run, 0, run.length - 1);
  ctx.lineTo(run[run.length - 1]!.x, floor);
  ctx.lineTo(run[0]!.x, floor);
  ctx.closePath();
  ctx.globalAlpha = picture.lines.length > 1 ? 0.16 : 0.32;
  ctx.fillStyle = gradient;
  ctx.fill();
  ctx.globalAlpha = 1;
}

/** The colour of a line, all but invisible; a colour of the system has no such shade. */
function clear(frame: Frame, index: number): string {
  const colour = frame.ink(`--s${index + 1}`);
  return /^#[0-9a-f]{6}$/i.test(colour) ? `${colour}10` : "transparent";
}

function points(frame: Frame, run: Run, index: number): void {
  const { ctx, ratio } = frame;
  pen(frame, index);
  ctx.lineWidth = 1.5 * ratio;
  const radius = (run.length === 1 ? LONE_RADIUS : DOT_RADIUS) * ratio;
  for (const { x, y, backfilled } of run) {
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fillStyle = frame.ink(backfilled ? "--card" : `--s${index + 1}`);
    ctx.fill();
    ctx.stroke();
  }
}
