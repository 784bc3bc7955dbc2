/** The market table: favourites, arrow keys between its rows, and the columns that a reader chose. */

import { isPublished } from "./edition";
import { favourites, turn } from "./favourites";
import { onMount, within } from "./mounts";
import { renew } from "./swap";

const KEY = "columns";

export function marketTable(swapped: (part: HTMLElement) => void): void {
  onMount((part) => {
    for (const table of within<HTMLTableElement>(part, "table.market")) {
      addStars(table);
      rove(table, "tbody tr", "a, button");
      for (const hint of table.querySelectorAll<HTMLElement>("caption [hidden]")) hint.hidden = false;
    }
    for (const map of within<HTMLElement>(part, ".map")) rove(map, "a", "");
    for (const market of within<HTMLElement>(part, "#market")) remember(market);
  });
  menus();
  atStart(swapped);
}

function addStars(table: HTMLTableElement): void {
  const kept = new Set(favourites());
  for (const link of table.querySelectorAll<HTMLAnchorElement>("tbody th a")) {
    const id = Number(link.href.split("/").pop());
    const star = document.createElement("button");
    star.type = "button";
    star.className = "quiet star";
    star.ariaLabel = table.dataset["star"]!.replace("{name}", link.textContent!.trim());
    const show = (on: boolean): void => {
      star.ariaPressed = String(on);
      star.textContent = on ? "★" : "☆";
    };
    show(kept.has(id));
    star.addEventListener("click", () => show(turn(id)));
    link.before(star);
  }
  table.classList.add("starred");
}

/**
 * Only one row can be reached by Tab, the arrow keys lead to the others: who does not want any is past
 * the table at once.
 */
function rove(list: Element, rows: string, inside: string): void {
  const all = [...list.querySelectorAll<HTMLElement>(rows)];
  const ends = (row: HTMLElement): HTMLElement[] => (inside ? [...row.querySelectorAll<HTMLElement>(inside)] : [row]);
  let now = 0;
  const reach = (index: number): void => {
    for (const one of ends(all[now]!)) one.setAttribute("tabindex", "-1");
    now = index;
    for (const one of ends(all[now]!)) one.setAttribute("tabindex", "0");
  };
  if (!all.length) return;
  for (const row of all) for (const one of ends(row)) one.setAttribute("tabindex", "-1");
  reach(0);
  list.addEventListener("focusin", (event) => {
    const index = all.findIndex((row) => row.contains(event.target as Node));
    if (index >= 0) reach(index);
  });
  list.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event as KeyboardEvent;
    const at = all.findIndex((row) => row.contains(target as Node));
    if (at < 0 || ctrlKey || metaKey || altKey) return;
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[key];
    if (next === undefined || !all[next]) return;
    event.preventDefault();
    const place = ends(all[at]!).indexOf(target as HTMLElement);
    (ends(all[next]!)[place] ?? ends(all[next]!)[0]!).focus();
  });
}

/** A choice of columns is kept when it is made; an address that holds one stays its own. */
function remember(market: HTMLElement): void {
  const usual = market.querySelector("table.market:not(.picked)");
  // Back to the usual ones: then there is nothing to remember.
  if (usual && new URL(location.href).searchParams.has("show")) store(null);
  market.querySelector("#columns form")?.addEventListener("change", (event) => {
    const chosen = new FormData(event.currentTarget as HTMLFormElement).getAll("show").join();
    store(chosen);
  });
}

function store(columns: string | null): void {
  try {
    if (columns) localStorage.setItem(KEY, columns);
    else localStorage.removeItem(KEY);
  } catch {
    // Then the address alone holds them.
  }
}

/** A menu closes on Escape and when one goes elsewhere. */
function menus(): void {
  const open = (): NodeListOf<HTMLDetailsElement> => document.querySelectorAll("details.menu[open]");
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    }
  });
  addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target as Node)) menu.open = false;
  });
}

/** What only the browser knows is asked for once the page is there: its columns, its favourites. */
function atStart(swapped: (part: HTMLElement) => void): void {
  const url = new URL(location.href);
  // A published edition has more to do first.
  if (document.getElementById("market") && !isPublished() && fillIn(url)) void renew("market", url, "replace", swapped);
}

/** Put into an address what only the browser knows; whether there was anything. */
export function fillIn(url: URL): boolean {
  const known = url.searchParams;
  let columns: string | null = null;
  try {
    columns = localStorage.getItem(KEY);
  } catch {
    // Storage can be forbidden.
  }
  const lacks = known.get("only") === "favourites" && !known.has("ids") && favourites().length > 0;
  if (lacks) known.set("ids", favourites().join());
  const own = columns && !known.has("show");
  if (own) known.set("show", columns!);
  return lacks || !!own;
}
