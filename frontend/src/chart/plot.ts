/** A thin stand-in for the drawing. */
import uPlot from "uplot";

import { percent, direction } from "../format";
import { moment } from "../zone";
import type { Picture, Value } from "./picture";
import { written } from "./values";

interface Heard {
  zoomed(from: number, to: number): void;
  reset(): void;
}

export interface Plot {
  show(picture: Picture): void;
  destroy(): void;
  png(title: string): Promise<Blob>;
  redraw(): void;
}

export function mountPlot(section: HTMLElement, box: HTMLElement, heard: Heard): Plot {
  let plot: uPlot | undefined;
  let picture: Picture;
  const say = (index?: number | null): void => {
    for (const place of section.querySelectorAll<HTMLElement>("[data-line]")) {
      const line = picture.lines[Number(place.dataset["line"])];
      const at = index ?? last(line?.values ?? []);
      const [value, base] = [line?.values[at], line?.values.find((one) => one)];
      const part = document.createElement("span");
      const change = value != null && base ? (value / base - 1) * 100 : 0;
      part.className = direction(change);
      part.textContent = percent(change);
      place.replaceChildren(...(value == null ? ["–"] : [part, ` ${written(picture, value)}`]));
    }
    const at = section.querySelector("[data-at]");
    if (at && index != null) at.textContent = moment(picture.times[index]!);
    else if (at) at.textContent = `${moment(picture.start)} – ${moment(picture.end)}`;
  };
  const show = (next: Picture): void => {
    picture = next;
    plot?.destroy();
    const colour = (name: string): string => getComputedStyle(box).getPropertyValue(name);
    plot = new uPlot(
      {
        width: box.clientWidth,
        height: box.clientHeight,
        legend: { show: false },
        scales: { x: { range: () => [picture.start, picture.end] }, y: picture.scale === "log" ? { distr: 3 } : {} },
        axes: [{}, { show: false }],
        series: [{}, ...picture.lines.map((_, index) => ({ stroke: () => colour(`--s${index + 1}`) }))],
        hooks: {
          setCursor: [(self) => say(self.cursor.idx)],
          setSelect: [(self) => heard.zoomed(self.posToVal(self.select.left, "x"), self.posToVal(self.select.left + self.select.width, "x"))],
        },
      },
      [picture.times, ...picture.lines.map((line) => line.drawn)],
      box,
    );
    plot.over.addEventListener("dblclick", () => heard.reset());
    box.querySelector("svg")?.remove();
    say();
  };
  return {
    show,
    destroy: () => plot?.destroy(),
    redraw: () => plot?.redraw(false),
    png: () => new Promise((done) => plot!.ctx.canvas.toBlob((blob) => done(blob!))),
  };
}

const last = (values: Value[]): number => values.reduce<number>((found, value, index) => (value == null ? found : index), 0);
