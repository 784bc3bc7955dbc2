/** What a reader points at, in words: the legend and the line under the chart follow the cursor. */
import type uPlot from "uplot";

import type { Chart } from "./chart";
import type { Value } from "./columns";
import { direction, percent, price } from "./format";
import { t } from "./texts";
import { isUtc, moment, onlyUtc, ownZone, toggleZone } from "./zone";

export function follow(chart: Chart, box: HTMLElement): void {
  const { plot, section } = chart;
  const values = [...section.querySelectorAll<HTMLElement>("[data-line]")];
  const at = section.querySelector<HTMLElement>("[data-at]");
  const resting = { values: values.map((place) => place.innerHTML), at: at?.innerHTML ?? "" };
  plot.hooks.setCursor = [
    () => {
      const index = plot.cursor.idx;
      if (index == null) rest(chart, values, at, resting);
      else tell(chart, values, at, index);
    },
  ];
  plot.hooks.setScale = [() => rest(chart, values, at, resting)];
  reveal(chart);
  keys(chart, box);
  touch(plot);
}

interface Resting {
  values: string[];
  at: string;
}

/** Nothing is pointed at: the whole range, or the part that is zoomed to. */
function rest(chart: Chart, values: HTMLElement[], at: HTMLElement | null, resting: Resting): void {
  values.forEach((place, line) => (place.innerHTML = resting.values[line]!));
  if (!at) return;
  const { min, max } = chart.plot.scales["x"]!;
  const times = chart.columns.drawn[0];
  const whole = min == null || max == null || (min <= times[0]! && max >= times[times.length - 1]!);
  if (whole && isUtc()) at.innerHTML = resting.at;
  else {
    const start = moment(whole ? chart.columns.start : min!);
    at.textContent = t("zoomed", { start, end: moment(whole ? chart.columns.end : max!) });
  }
}

function tell(chart: Chart, values: HTMLElement[], at: HTMLElement | null, index: number): void {
  const { plot, columns } = chart;
  const time = plot.posToVal(plot.cursor.left ?? 0, "x");
  const gap = columns.bands.find(([start, end]) => start < time && time < end);
  const point = plot.data[0][index]!;
  values.forEach((place, line) => {
    const own = plot.cursor.idxs?.[line + 1] ?? index;
    place.textContent = "";
    place.append(...(gap ? ["–"] : said(columns.values[line]?.[own], columns.changes[line]?.[own])));
  });
  if (at) at.textContent = gap ? `${moment(time)} · ${t("gap", { reason: gap[2] })}` : moment(point);
}

/** A change since the range began, and the value in USD: as the server writes the last ones. */
function said(value: Value, change: Value): (string | Node)[] {
  if (value == null || change == null) return [value == null ? "–" : price(value)];
  const part = document.createElement("span");
  part.className = direction(change);
  part.textContent = percent(change);
  return [part, ` ${price(value)}`];
}

/** Show what only works with this script: the hint, and the choice of the time zone. */
function reveal(chart: Chart): void {
  const hint = chart.section.querySelector<HTMLElement>("[data-hint]");
  if (hint) hint.hidden = false;
  const button = chart.section.querySelector<HTMLButtonElement>("[data-zone]");
  if (!button || onlyUtc) return;
  const name = (): void => {
    button.textContent = isUtc() ? t("local", { zone: ownZone }) : t("utc");
  };
  button.addEventListener("click", () => {
    toggleZone();
    name();
    chart.plot.redraw(false, true);
    chart.plot.setCursor({ left: -10, top: -10 });
  });
  name();
  button.hidden = false;
}

const JUMPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -20,
  PageDown: 20,
  Home: -1e9,
  End: 1e9,
};

/** The chart is a slider for the keyboard: it says its value where the cursor stands. */
function keys(chart: Chart, box: HTMLElement): void {
  const { plot, columns } = chart;
  const last = columns.drawn[0].length - 1;
  let index = last;
  const stand = (): void => {
    box.setAttribute("aria-valuenow", String(index));
    const said = columns.values.map((line, n) => {
      const value = line[index];
      return `${columns.names[n]!} ${value == null ? "–" : price(value)}`;
    });
    box.setAttribute("aria-valuetext", `${moment(columns.drawn[0][index]!)}: ${said.join(", ")}`);
  };
  const settings = { role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuemax": String(last) };
  for (const [name, value] of Object.entries(settings)) box.setAttribute(name, value);
  box.setAttribute("aria-label", t("chart", { names: columns.names.join(", ") }));
  stand();
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") plot.setData(plot.data);
    const jump = JUMPS[event.key];
    if (jump === undefined) return;
    event.preventDefault();
    index = Math.min(last, Math.max(0, index + jump));
    plot.setCursor({ left: plot.valToPos(columns.drawn[0][index]!, "x"), top: 0 });
    stand();
  });
  box.addEventListener("blur", () => plot.setCursor({ left: -10, top: -10 }));
}

/** A finger moves the cursor sideways; up and down still scrolls the page. */
function touch(plot: uPlot): void {
  const scrub = (event: TouchEvent): void => {
    const finger = event.touches[0];
    if (!finger || event.touches.length > 1) return;
    const { left, top } = plot.over.getBoundingClientRect();
    plot.setCursor({ left: finger.clientX - left, top: finger.clientY - top });
  };
  plot.over.addEventListener("touchstart", scrub, { passive: true });
  plot.over.addEventListener("touchmove", scrub, { passive: true });
}
