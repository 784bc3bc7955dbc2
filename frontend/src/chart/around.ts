/** What stands around a chart in words: its heading, its legend, its gaps and its notes. */
import type { Shown } from "../data/picture";
import { element } from "../element";
import { t } from "../texts";
import { moment } from "../zone";
import type { Picture } from "./picture";
import { exact } from "./units";

const MOST_GAPS = 50;

const inside = <E extends Element>(section: Element, selector: string): E | null => section.querySelector<E>(selector);

/** Say all of it; whether the legend is another one now. */
export function tellAround(section: HTMLElement, field: string, shown: Shown): boolean {
  heading(section, field, shown);
  notes(section, shown);
  extremes(section, shown.picture);
  gaps(section, shown.picture);
  return legend(section, shown);
}

/** The legend is made anew where the lines are others; what it says of them is the drawing's. */
function legend(section: HTMLElement, { assets }: Shown): boolean {
  const list = inside<HTMLUListElement>(section, ".legend");
  if (!list || section.dataset["kind"] === "asset") return false;
  const ids = assets.map((asset) => `/assets/${asset.id}`);
  const links = [...list.querySelectorAll("a")].map((link) => link.getAttribute("href") ?? "");
  if (links.length === ids.length && links.every((link, index) => link.endsWith(ids[index]!))) return false;
  const items = assets.map((asset, index) => {
    const item = element("li", "", { class: `s${index + 1}` });
    const link = element("a", asset.name, { href: `${section.dataset["prefix"] ?? ""}/assets/${asset.id}` });
    item.append(link, " ", element("span", "", { class: "value", "data-line": String(index) }));
    return item;
  });
  list.replaceChildren(...items);
  return true;
}

function heading(section: HTMLElement, field: string, shown: Shown): void {
  const title = inside(section, "h2");
  const kind = section.dataset["kind"];
  if (!title || kind === "home") return;
  title.textContent = kind === "compare" ? field : t("chart.of", { field, name: shown.assets[0]?.name ?? "" });
}

function extremes(section: HTMLElement, picture: Picture): void {
  const place = inside(section, "[data-extremes]");
  const write = (value: number): string => exact(picture, value, picture.lines[0]!.symbol);
  const key = picture.unit === "rank" ? "chart.places" : "chart.extremes";
  if (!place) return;
  let [low, high] = [Infinity, -Infinity];
  for (const value of picture.lines[0]?.values ?? []) {
    if (value == null) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  place.textContent = low > high ? "" : t(key, { low: write(low), high: write(high) });
}

function gaps(section: HTMLElement, { bands }: Picture): void {
  const box = inside<HTMLDetailsElement>(section, "[data-gaps]");
  const list = box?.querySelector("ul");
  if (!box || !list) return;
  box.hidden = !bands.length;
  box.querySelector("summary")!.textContent = t("chart.gaps", { n: bands.length });
  const newest = bands.slice(-MOST_GAPS).reverse();
  const said = newest.map(({ start, end, reason }) => {
    return element("li", t("chart.gap", { start: moment(start), end: moment(end), reason }));
  });
  list.replaceChildren(...said);
}

function notes(section: HTMLElement, shown: Shown): void {
  const box = inside(section, "[data-notes]");
  if (!box) return;
  const said = [...since(section, shown.picture), ...shown.notes];
  const { lines } = shown.picture;
  if (!lines.some((line) => line.values.some((value) => value != null))) said.push(t("chart.nothing"));
  box.replaceChildren(...said.map((text) => element("p", text)));
}

/** Since when lines are compared: each since its own first value. */
function since(section: HTMLElement, { lines, times, scale }: Picture): string[] {
  if (scale !== "percent" || section.dataset["kind"] !== "compare") return [];
  const firsts = lines.map((line) => times[line.values.findIndex((value) => value)]);
  const known = firsts.filter((time): time is number => time !== undefined);
  if (!known.length) return [];
  const key = new Set(known).size > 1 ? "chart.since_late" : "chart.since";
  return [t(key, { time: moment(Math.min(...known)) })];
}
