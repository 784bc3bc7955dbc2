/** uPlot in the place of the chart that the server drew: the same box, marks and colours. */
import uPlot from "uplot";

import { readColumns, type Columns } from "./columns";
import { colour, paintOver, paintUnder } from "./paint";
import { follow } from "./readout";
import { bounds } from "./ticks";
import { axisLabel, isUtc } from "./zone";

const AXIS_PX = 28;
const LABEL_SPACE_PX = 84;
const EDGE_PX = 20;

export interface Chart {
  plot: uPlot;
  columns: Columns;
  section: HTMLElement;
}

/** Draw the chart of a section over its first paint, and return it. */
export function mountChart(section: HTMLElement): Chart | undefined {
  const box = section.querySelector<HTMLElement>("[data-chart]");
  const data = section.querySelector('script[type="application/json"]');
  if (!box || !data?.textContent) return undefined;
  const columns = readColumns(data.textContent);
  if (!columns.values.some((line) => line.some((value) => value != null))) return undefined;
  const first = box.querySelector("svg");
  const size = { width: box.clientWidth, height: box.clientHeight };
  const plot = new uPlot(options(columns, size), columns.drawn, (self, ready) => {
    box.append(self.root);
    ready();
    first?.remove();
  });
  new ResizeObserver(() => fit(plot, box)).observe(box);
  const chart = { plot, columns, section };
  follow(chart, box);
  return chart;
}

/** Keep a chart as large as its box; an observer's first call comes when it is so already. */
function fit(plot: uPlot, { clientWidth: width, clientHeight: height }: HTMLElement): void {
  if (width !== plot.width || height !== plot.height) plot.setSize({ width, height });
}

function options(columns: Columns, size: { width: number; height: number }): uPlot.Options {
  return {
    ...size,
    padding: [0, 0, 0, 0],
    legend: { show: false },
    tzDate: (time) => (isUtc() ? uPlot.tzDate(new Date(time * 1000), "Etc/UTC") : new Date(time * 1000)),
    scales: {
      x: { range: (_, low, high) => [low, high] },
      y: { range: (_, low, high) => bounds(low ?? 0, high ?? 1, columns.percent) },
    },
    axes: [timeAxis(), { show: false }],
    series: [{}, ...columns.names.map((_, index) => line(index, columns))],
    cursor: {
      drag: { x: true, y: false, dist: 6 },
      points: { size: 7, width: 0, fill: (self, index) => colour(self, `--s${index}`) },
      dataIdx: nearest,
    },
    hooks: {
      drawClear: [(self) => paintUnder(self, columns)],
      draw: [(self) => paintOver(self, columns)],
    },
  };
}

function timeAxis(): uPlot.Axis {
  return {
    size: AXIS_PX,
    gap: 9,
    space: LABEL_SPACE_PX,
    font: "12px system-ui, sans-serif",
    stroke: (self) => colour(self, "--soft"),
    grid: { show: false },
    ticks: { show: false },
    values: (self, splits, _axis, _space, step) =>
      splits.map((time) => (fits(self, time) ? axisLabel(time, step) : "")),
  };
}

/** The canvas cuts off what stands too near its edges. */
function fits(self: uPlot, time: number): boolean {
  const x = self.valToPos(time, "x");
  return x >= EDGE_PX && x <= self.width - EDGE_PX;
}

function line(index: number, columns: Columns): uPlot.Series {
  return {
    label: columns.names[index]!,
    width: columns.names.length > 1 ? 1.75 : 2,
    stroke: (self) => colour(self, `--s${index + 1}`),
    // A point between two gaps has no line: it is drawn as a dot.
    points: { show: false, size: 4, filter: (self, series) => loners(self.data[series]!) },
    ...(index >= 5 ? { dash: [6, 3] } : {}),
  };
}

function loners(values: ArrayLike<number | null | undefined>): number[] {
  const present: number[] = [];
  const alone: number[] = [];
  let broken = true;
  for (let index = 0; index < values.length; index++) {
    if (values[index] === undefined) continue;
    if (values[index] === null) {
      if (present.length === 1) alone.push(present[0]!);
      present.length = 0;
      broken = true;
    } else if (present.length < 2) {
      present.push(index);
      broken = false;
    }
  }
  if (!broken && present.length === 1) alone.push(present[0]!);
  return alone;
}

/** Where a line has no point of its own but no gap either, the cursor takes its nearest one. */
function nearest(self: uPlot, series: number, index: number): number {
  const values = self.data[series]!;
  if (values[index] !== undefined) return index;
  for (let step = 1; step < values.length; step++) {
    if (values[index - step] != null) return index - step;
    if (values[index + step] != null) return index + step;
  }
  return index;
}
