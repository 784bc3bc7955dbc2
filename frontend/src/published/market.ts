/**
 * The market table of a published edition, where no server makes it: the part that the page came
 * with, filled anew from `market.json`, or from the file of a past slot.
 */
import { learnRates } from "../amounts";
import { data } from "../edition";
import { element } from "../element";
import { amount, count, direction, fixed, percent, type Kind } from "../format";
import { favourites } from "../favourites";
import { naturalSort, select, type Cell, type Market, type Wish } from "./select";

const LIMIT = 50;
const MONEY: Record<string, Kind> = {
  price: "price",
  market_cap: "money",
  fully_diluted_market_cap: "money",
  volume_24h: "money",
};
const UNKNOWN = "–";
const RISING_FIRST = ["rank", "name"];

let model: HTMLElement | undefined;

/** The part as an address asks for it; `undefined` where there is nothing to make it from. */
export async function marketPart(url: URL): Promise<HTMLElement | undefined> {
  const at = url.searchParams.get("at");
  const market = await data<Market>(at ? `slots/${at}.json` : "market.json");
  const from = (model ??= asItCame());
  if (!market || !from) return undefined;
  rates(market);
  const part = from.cloneNode(true) as HTMLElement;
  const wish = wishOf(url);
  const places = select(market, wish);
  const limit = whole(url.searchParams.get("limit"), 10, 200, LIMIT);
  const offset = whole(url.searchParams.get("offset"), 0, 1_000_000, 0);
  const columns = columnsOf(part, url);
  choices(part, url, columns);
  const table = part.querySelector<HTMLTableElement>("table.market");
  if (!table) return part;
  head(table, columns, url, wish);
  const shown = places.slice(offset, offset + limit);
  const rows = shown.map((place) => row(from, market, place, columns));
  table.tBodies[0]!.replaceChildren(...rows);
  table.classList.toggle("picked", url.searchParams.has("show"));
  if (!shown.length) return none(part, url, wish);
  pages(part, url, offset, limit, shown.length, places.length);
  return part;
}

/** The part without what the scripts have put into it. */
function asItCame(): HTMLElement | undefined {
  const part = document.getElementById("market")?.cloneNode(true) as HTMLElement | undefined;
  for (const star of part?.querySelectorAll(".star") ?? []) star.remove();
  for (const menu of part?.querySelectorAll("details") ?? []) menu.open = false;
  for (const place of part?.querySelectorAll("[tabindex]") ?? []) place.removeAttribute("tabindex");
  part?.removeAttribute("aria-busy");
  return part;
}

/** Take the rates of a market's slot. */
export function rates({ slot, currencies }: Market): void {
  // No script element: browsers with Trusted Types let none be written.
  const told = element("data", JSON.stringify({ [slot]: currencies }), { id: "rates", "data-slot": String(slot) });
  const around = document.createDocumentFragment();
  around.append(told);
  learnRates(around);
}

function wishOf(url: URL): Wish {
  const of = (name: string): string => url.searchParams.get(name) ?? "";
  const given = of("ids").split(",").filter(Boolean).map(Number);
  const ids = given.length ? given : favourites();
  return { q: of("q"), sort: of("sort"), only: of("only"), cap: of("cap"), ids };
}

function whole(text: string | null, low: number, high: number, usual: number): number {
  return text && /^[0-9]{1,10}$/.test(text) ? Math.min(Math.max(Number(text), low), high) : usual;
}

/** The columns to show, in the order in which they can be chosen. */
function columnsOf(part: HTMLElement, url: URL): string[] {
  const boxes = [...part.querySelectorAll<HTMLInputElement>("#columns input[type=checkbox]")];
  const asked = url.searchParams.getAll("show").join();
  const wanted = new Set(asked ? asked.split(",") : boxes.filter((box) => box.defaultChecked).map((box) => box.value));
  const codes = boxes.map((box) => box.value);
  // The name comes after the rank and is always there.
  codes.splice(codes.indexOf("rank") + 1, 0, "name");
  return codes.filter((code) => code === "name" || wanted.has(code));
}

/** An address with some parameters changed; empty ones are left out. */
function address(url: URL, changes: Record<string, string>): string {
  const to = new URL(url);
  for (const [name, value] of Object.entries(changes)) {
    if (value) to.searchParams.set(name, value);
    else to.searchParams.delete(name);
  }
  to.searchParams.delete("part");
  return to.pathname + to.search;
}

function choices(part: HTMLElement, url: URL, columns: readonly string[]): void {
  for (const [name, dropped] of [["only", { sort: "", ids: "" }], ["cap", {}]] as const) {
    for (const link of part.querySelectorAll<HTMLAnchorElement>(`a[id^="${name}-"]`)) {
      const code = link.id.slice(name.length + 1);
      link.href = address(url, { [name]: code, offset: "", ...dropped });
      const current = code === (url.searchParams.get(name) ?? "");
      if (current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      if (current && code && name === "cap") part.querySelector("#caps-menu")?.append(": ", element("b", link.textContent));
    }
  }
  for (const box of part.querySelectorAll<HTMLInputElement>("#columns input[type=checkbox]")) {
    box.toggleAttribute("checked", columns.includes(box.value));
  }
}

const classOf = (code: string): string =>
  code === "sparkline" ? "spark" : code.replace("percent_change_", "p").replace(/_/g, "-");

function head(table: HTMLTableElement, columns: readonly string[], url: URL, wish: Wish): void {
  const usual = naturalSort(wish.only);
  const order = wish.sort || usual;
  const cells = columns.map((code) => {
    const cell = element("th", "", { scope: "col", class: classOf(code) });
    const title = titleOf(code);
    if (code === "sparkline") {
      cell.textContent = title;
      return cell;
    }
    const [first, second] = RISING_FIRST.includes(code) ? [code, `-${code}`] : [`-${code}`, code];
    const next = order === first ? second : first;
    const href = address(url, { sort: next === usual ? "" : next, offset: "" });
    cell.append(element("a", title, { href, id: `by-${code}`, "data-swap": "market" }));
    if (order === code) cell.ariaSort = "ascending";
    if (order === `-${code}`) cell.ariaSort = "descending";
    return cell;
  });
  table.tHead!.rows[0]!.replaceChildren(...cells);
}

/** What a column is called: as in the table that came, or else as in the choice of columns. */
function titleOf(code: string): string {
  const there = model?.querySelector(`#by-${code}`) ?? model?.querySelector(`th.${classOf(code)}`);
  return (there ?? model?.querySelector(`#show-${code}`)?.parentElement)?.textContent?.trim() ?? code;
}

function row(
  from: HTMLElement,
  market: Market,
  place: number,
  columns: readonly string[],
): HTMLTableRowElement {
  const made = document.createElement("tr");
  const of = (name: string): Cell => market.assets[name]?.[place] ?? null;
  for (const code of columns) made.append(code === "name" ? nameCell(market, of) : cellOf(from, code, of, market));
  return made;
}

function nameCell(market: Market, of: (name: string) => Cell): HTMLElement {
  const cell = element("th", "", { scope: "row" });
  const prefix = document.documentElement.lang === "en" ? "" : `/${document.documentElement.lang}`;
  const link = element("a", `${of("name")} `, { href: `${prefix}/assets/${of("id")}` });
  const shared = market.shared?.includes(of("id") as number) ? ` · ${of("id")}` : "";
  link.append(element("small", `${of("symbol")}${shared}`));
  cell.append(link);
  return cell;
}

function cellOf(from: HTMLElement, code: string, of: (name: string) => Cell, market: Market): HTMLElement {
  const value = of(code) as number | null;
  const cell = element("td", "", code === "price" ? {} : { class: classOf(code) });
  if (code === "sparkline") {
    const link = from.querySelector(`tbody th a[href$="/assets/${of("id")}"]`);
    const line = link?.closest("tr")?.querySelector("td.spark svg");
    if (line) cell.append(line.cloneNode(true));
  } else if (value === null) cell.textContent = UNKNOWN;
  else if (MONEY[code]) {
    const kind = MONEY[code];
    cell.append(
      element("data", amount(kind, value), { value: String(value), "data-as": kind, "data-slot": String(market.slot) }),
    );
  } else if (code.startsWith("percent")) {
    cell.className += ` ${direction(value)}`;
    cell.textContent = percent(value);
  } else cell.textContent = code === "rank" ? String(value) : count(value);
  return cell;
}

/** What to say in the place of a table without a row. */
function none(part: HTMLElement, url: URL, { q, only, cap, ids }: Wish): HTMLElement {
  const words = part.querySelector<HTMLElement>(".pager")!.dataset;
  const said = element("p", "", { class: "none", "data-say": "" });
  if (only === "favourites" && !ids.length) said.textContent = words["stars"]!;
  else if (q || only || cap) {
    const href = address(url, { q: "", only: "", cap: "", ids: "", offset: "" });
    const all = element("a", words["all"]!, { href, id: "all", "data-swap": "market" });
    said.append(`${q ? words["nothing"]!.replace("{q}", () => q) : words["none"]!} `, all);
  } else said.textContent = words["end"]!;
  part.querySelector(".scroll")?.replaceWith(said);
  part.querySelector(".pager")!.remove();
  return part;
}

/** What is shown of how many, and the ways to the rest; the words came with the page. */
function pages(part: HTMLElement, url: URL, offset: number, limit: number, shown: number, total: number): void {
  const pager = part.querySelector<HTMLElement>(".pager");
  if (!pager) return;
  const words = pager.dataset;
  const said = element("p", "", { "data-say": "" });
  said.textContent = (total === 1 ? words["one"] : words["some"])!
    .replace("{first}", String(offset + 1))
    .replace("{last}", String(Math.min(offset + shown, total)))
    .replace("{n}", fixed(total, 0));
  pager.replaceChildren(said);
  const link = (rel: string, id: string, to: number): void => {
    const href = address(url, { offset: to > 0 ? String(to) : "" });
    pager.append(" ", element("a", words[rel]!, { rel, id, href, "data-swap": "market" }));
  };
  if (offset > 0) link("prev", "previous", offset - limit);
  if (offset + limit < total) link("next", "next", offset + limit);
}
