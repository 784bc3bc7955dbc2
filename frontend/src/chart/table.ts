/** The points of a chart as a table, newest first, made when it is opened. */
import type { Shown } from "../data/picture";
import { fixed } from "../format";
import { t } from "../texts";
import { moment } from "../zone";
import { element } from "../element";
import { candleText } from "./readout";
import { exact } from "./units";

const MOST_ROWS = 500;

export function fillTable(section: HTMLElement, field: string, shown: Shown): void {
  const box = section.querySelector("[data-table]");
  const [head, body] = [box?.querySelector("thead tr"), box?.querySelector("tbody")];
  if (!box || !head || !body) return;
  const { lines } = shown.picture;
  const single = section.dataset["kind"] === "asset";
  const { candles } = shown.picture;
  const titles = lines.map((line) => element("th", single ? field : line.name, { scope: "col" }));
  head.replaceChildren(head.firstElementChild!, ...titles, head.lastElementChild!);
  const indexes = candles ? candles.map((_, index) => index).reverse() : pointsOf(shown);
  const made = candles ? candleRow : row;
  body.replaceChildren(...indexes.slice(0, MOST_ROWS).map((index) => made(shown, index)));
  const more = indexes.length > MOST_ROWS;
  box.querySelector("[data-rows]")!.textContent = more ? t("chart.rows", { n: MOST_ROWS, m: fixed(indexes.length, 0) }) : "";
}

/** Where a line has a point, known or not: gaps have none. */
export function pointsOf({ picture: { times, lines } }: Shown): number[] {
  const found: number[] = [];
  for (let index = times.length - 1; index >= 0; index--) {
    if (lines.some((line) => line.values[index] != null)) found.push(index);
  }
  return found;
}

function candleRow({ picture }: Shown, index: number): HTMLTableRowElement {
  const made = element("tr");
  const { start, complete } = picture.candles![index]!;
  const values = element("td");
  values.append(...candleText(picture, index));
  made.append(element("th", moment(start), { scope: "row" }), values, element("td", complete ? "" : t("unfinished")));
  return made;
}

function row({ picture }: Shown, index: number): HTMLTableRowElement {
  const made = element("tr");
  const backfilled = picture.lines.some((line) => line.backfilled[index]);
  const cells = picture.lines.map(({ values, symbol }) => {
    const value = values[index];
    return element("td", value == null ? "–" : exact(picture, value, symbol));
  });
  const time = element("th", moment(picture.times[index]!), { scope: "row" });
  made.append(time, ...cells, element("td", t(backfilled ? "origin.backfilled" : "origin.observed")));
  return made;
}
