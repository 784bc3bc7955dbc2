/** A picture drawn by uPlot in the place of the server's first paint, to look into and move about. */
import uPlot from "uplot";

import { onZone } from "../zone";
import { paintTimes, paintValues } from "./axes";
import { paintCandles } from "./candles";
import { columnsOf, isCandles, nearest, valueBounds } from "./columns";
import { clipped, frameOf, type Frame } from "./frame";
import { followKeys } from "./keys";
import { paintLines } from "./lines";
import type { Picture } from "./picture";
import { followPointer } from "./pointer";
import { Readout } from "./readout";
import { paintStrip } from "./strip";
import { paintUnder } from "./under";
import { same, whole, within, type View } from "./view";

const AXIS_PX = 28;
const SETTLED_MS = 200;

export interface Handlers {
  /** Another part is in sight (whole seconds): once, when it has stood still for a moment. */
  zoomed(from: number, to: number): void;
  /** The reader wants to see what there was before zooming. */
  reset(): void;
}

export interface Plot {
  /** Draw a picture in the place of the one before. */
  show(picture: Picture): void;
  /** Draw again: colours or times have changed. */
  redraw(): void;
  /** What is on screen as a PNG, under a title and over a line that says where it is from. */
  png(title: string, attribution?: string): Promise<Blob>;
  destroy(): void;
}

export function mountPlot(section: HTMLElement, box: HTMLElement, handlers: Handlers): Plot {
  return new Stage(section, box, handlers);
}

/** A plot and what moves in it; pointer, keys and readout work on it. */
export class Stage implements Plot {
  picture!: Picture;
  plot: uPlot | undefined;
  view: View = { from: 0, to: 1 };
  /** How many gestures are under way: a picture that comes meanwhile leaves the view alone. */
  held = 0;
  private readonly ended = new AbortController();
  readonly readout: Readout;
  private readonly resizing: ResizeObserver;
  private shape = "";
  private settling = 0;

  constructor(
    readonly section: HTMLElement,
    readonly box: HTMLElement,
    readonly handlers: Handlers,
  ) {
    this.readout = new Readout(this);
    this.resizing = new ResizeObserver(() => this.fit());
    const redraw = (): void => this.redraw();
    this.signal.addEventListener("abort", onZone(redraw));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal: this.signal });
  }

  /** Ends what listens for this plot. */
  get signal(): AbortSignal {
    return this.ended.signal;
  }

  get strip(): number {
    return parseFloat(getComputedStyle(this.box).getPropertyValue("--strip")) || 0;
  }

  show(picture: Picture): void {
    const moving = this.plot && (this.held || this.settling);
    this.picture = picture;
    this.view = moving ? within(picture, this.view) : whole(picture);
    const shape = shapeOf(picture);
    if (this.plot && shape === this.shape) this.refill(this.plot);
    else this.build();
    this.shape = shape;
    this.readout.renew(true);
  }

  private refill(plot: uPlot): void {
    plot.batch(() => {
      plot.setData(columnsOf(this.picture), false);
      this.scale();
    });
  }

  /** The old drawing goes when the new one is ready, in the same frame. */
  private build(): void {
    const old = this.plot;
    const first = old ? null : this.box.querySelector("svg");
    const size = { width: this.box.clientWidth, height: this.box.clientHeight };
    this.plot = new uPlot(options(this, size), columnsOf(this.picture), (self, ready) => {
      this.box.append(self.root);
      ready();
      first?.remove();
      old?.destroy();
    });
    this.scale();
    if (old) return this.point(old.cursor.left, old.cursor.top);
    this.resizing.observe(this.box);
    followPointer(this);
    followKeys(this, this.readout);
  }

  private scale(): void {
    this.plot!.setScale("x", { min: this.view.from, max: this.view.to });
  }

  /** Keep a chart as large as its box; an observer's first call comes when it is so already. */
  private fit(): void {
    const { clientWidth: width, clientHeight: height } = this.box;
    const { plot } = this;
    if (plot && height && (width !== plot.width || height !== plot.height)) plot.setSize({ width, height });
  }

  /** Zoom or move, and tell it when the reader has come to rest. */
  look(view: View): void {
    if (same(view, this.view)) return;
    this.view = view;
    this.scale();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.settling = 0;
      this.handlers.zoomed(Math.round(this.view.from), Math.round(this.view.to));
    }, SETTLED_MS);
  }

  reset(): void {
    clearTimeout(this.settling);
    this.settling = 0;
    this.view = whole(this.picture);
    this.scale();
    this.handlers.reset();
  }

  /** The time under a point of the page, by its distance from the plot's left end. */
  timeAt(left: number): number {
    const { from, to } = this.view;
    return from + (left / (this.plot?.over.clientWidth || 1)) * (to - from);
  }

  point(left = -10, top = 0): void {
    this.plot?.setCursor({ left, top });
  }

  pointNowhere(): void {
    this.point(-10, -10);
  }

  /** A pointer over the strip reads the slots instead of the points. */
  readSlot(left: number | undefined): void {
    if (left === undefined && this.readout.slot === undefined) return;
    this.readout.slot = left === undefined ? undefined : this.timeAt(left);
    if (left === undefined) this.readout.tell();
    else this.point(left, -1);
  }

  cursorMoved(): void {
    this.readout.tell();
  }

  redraw(): void {
    this.plot?.redraw(false);
    this.readout.renew(false);
  }

  /** The plot as it is on its canvas, or on another one with so many pixels for one of the page. */
  frame(ctx?: CanvasRenderingContext2D, ratio?: number): Frame {
    return frameOf(this.plot!, this.picture, this.strip, ctx, ratio);
  }

  paint(frame: Frame): void {
    paint(frame, this.plot!.data);
  }

  async png(title: string, attribution = ""): Promise<Blob> {
    const { photograph } = await import("./png");
    return photograph(this, title, attribution);
  }

  destroy(): void {
    clearTimeout(this.settling);
    this.ended.abort();
    this.resizing.disconnect();
    this.plot?.destroy();
    this.plot = undefined;
  }
}

/** What uPlot cannot change in a drawing that stands: another shape is a new drawing. */
function shapeOf(picture: Picture): string {
  return [isCandles(picture) ? 1 : picture.lines.length, picture.scale === "log", downwards(picture)].join();
}

/** The first place is the highest one. */
const downwards = ({ unit, scale }: Picture): boolean => unit === "rank" && scale !== "percent";

function options(stage: Stage, size: { width: number; height: number }): uPlot.Options {
  const { picture } = stage;
  const count = isCandles(picture) ? 1 : picture.lines.length;
  return {
    ...size,
    padding: [0, 0, AXIS_PX + stage.strip, 0],
    legend: { show: false },
    scales: {
      x: { range: (_, low, high) => [low, high] },
      y: {
        range: (_, low, high) => valueBounds(stage.picture, stage.view, low, high),
        distr: picture.scale === "log" ? 3 : 1,
        dir: downwards(picture) ? -1 : 1,
      },
    },
    axes: [{ show: false }, { show: false }],
    series: [{}, ...Array.from({ length: count }, () => ({ paths: () => null, points: { show: false } }))],
    cursor: cursor(stage),
    hooks: {
      draw: [(self) => paint(frameOf(self, stage.picture, stage.strip), self.data)],
      setCursor: [() => stage.cursorMoved()],
      setScale: [() => stage.cursorMoved()],
    },
  };
}

/** uPlot leads the cursor; what is dragged, pressed and turned is ours. */
function cursor(stage: Stage): uPlot.Cursor {
  const none = (): null => null;
  return {
    y: false,
    drag: { x: false, y: false, setScale: false },
    bind: { mousedown: none, mouseup: none, click: none, dblclick: none },
    points: {
      size: 11,
      width: 2,
      stroke: (self) => getComputedStyle(self.root).getPropertyValue("--card"),
      fill: (self, index) => getComputedStyle(self.root).getPropertyValue(`--s${index}`),
      ...(isCandles(stage.picture) ? { show: false } : {}),
    },
    dataIdx: (self, series, index) => nearest(self.data[series]!, index),
  };
}

/** Everything that a chart shows, in its order: also for a PNG. */
function paint(frame: Frame, data: uPlot.AlignedData): void {
  const { ctx, picture } = frame;
  ctx.save();
  clipped(frame, () => paintUnder(frame));
  // A label over a line would cut it, and a cut means that nothing was recorded.
  paintValues(frame);
  clipped(frame, () => {
    if (isCandles(picture)) paintCandles(frame, picture.candles!);
    else paintLines(frame, data);
  });
  paintStrip(frame);
  paintTimes(frame);
  ctx.restore();
}
