/**
 * Links and forms marked with `data-swap` renew one part of the page instead of all of it. They
 * lead to the same addresses without this script; the server sends the part alone on `part=`.
 */

import { learnRates } from "./amounts";
import { isPublished } from "./edition";
import { favourites } from "./favourites";
import { pageIn } from "./parsed";

const OWNED: Record<string, string[]> = {
  chart: ["range", "from", "to", "field", "scale", "form"],
  market: ["q", "sort", "offset", "limit", "show", "only", "cap"],
  figures: ["range"],
};

/** `ids` are the assets compared, or the favourites of a market, whichever the page has. */
const owned = (part: string): string[] => {
  const own = OWNED[part] ?? [];
  return (part === "market") === !!document.getElementById("market") ? [...own, "ids"] : own;
};
const TYPING_MS = 200;

type Swapped = (part: HTMLElement) => void;
type History = "push" | "replace" | "none";

const waiting = new Map<string, AbortController>();
let shown = location.search;

export function swapParts(swapped: Swapped): void {
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-swap]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const part = link.dataset["swap"]!;
    void renew(part, merged(new URL(link.href), part), "push", swapped, link);
  });
  const sent = (form: HTMLFormElement, from?: Element): void => {
    const part = form.dataset["swap"]!;
    const target = new URL(location.href);
    for (const name of [...new FormData(form).keys()]) target.searchParams.delete(name);
    target.searchParams.delete("offset");
    for (const [name, value] of new FormData(form)) target.searchParams.append(name, String(value));
    void renew(part, merged(target, part), "push", swapped, from);
  };
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.dataset["swap"] || event.defaultPrevented) return;
    event.preventDefault();
    sent(form, event.submitter ?? undefined);
  });
  document.addEventListener("change", (event) => {
    const box = event.target as HTMLInputElement;
    if (box.type === "checkbox" && box.form?.dataset["swap"]) sent(box.form, box);
  });
  addEventListener("popstate", () => void goBack(swapped));
  search(swapped);
}

/** Keep what the other parts of the page show: the address holds the state of all of them. */
function merged(target: URL, part: string): URL {
  const url = new URL(location.href);
  for (const name of owned(part)) {
    url.searchParams.delete(name);
    const value = target.searchParams.getAll(name).join();
    if (value) url.searchParams.set(name, value);
  }
  if (part === "market") withFavourites(url);
  url.hash = "";
  return url;
}

/** Only this browser knows the favourites: the server is told which they are. */
function withFavourites(url: URL): void {
  if (url.searchParams.get("only") === "favourites") url.searchParams.set("ids", favourites().join());
  else url.searchParams.delete("ids");
}

/** Ask the server for a part of the page anew, and put it in the place of the old one. */
export async function renew(
  part: string,
  url: URL,
  history_: History,
  swapped: Swapped,
  from?: Element,
): Promise<boolean> {
  const old = document.getElementById(part);
  if (!old) return false;
  old.setAttribute("aria-busy", "true");
  const fresh = await fetchPart(part, url);
  if (fresh === "stopped") return false;
  if (!fresh) {
    // The plain way shows what the server has to say; a file has no more to say than it has.
    if (isPublished() && (history_ === "none" || url.href === location.href)) old.removeAttribute("aria-busy");
    else location.assign(url);
    return false;
  }
  if (history_ === "push") history.pushState(null, "", url);
  if (history_ === "replace") history.replaceState(null, "", url);
  const focused = document.activeElement && old.contains(document.activeElement);
  shown = url.search;
  keepOpen(old, fresh, from);
  old.replaceWith(fresh);
  followLanguages();
  swapped(fresh);
  if (focused) refocus(fresh, from);
  say(fresh);
  return true;
}

/** A menu in which something is being ticked stays open. */
function keepOpen(old: HTMLElement, fresh: HTMLElement, from?: Element): void {
  const menu = from?.closest("form") && from.closest<HTMLDetailsElement>("details[id]");
  const same = menu && old.contains(menu) && fresh.querySelector<HTMLDetailsElement>(`#${menu.id}`);
  if (same) same.open = true;
}

async function fetchPart(part: string, url: URL): Promise<HTMLElement | "stopped" | undefined> {
  // A newer wish for the same part makes the older one needless.
  waiting.get(part)?.abort();
  const stop = new AbortController();
  waiting.set(part, stop);
  const address = new URL(url);
  address.searchParams.set("part", part);
  if (isPublished()) {
    const made = await (await import("./lazy/published")).partOf(part, address);
    return stop.signal.aborted ? "stopped" : made;
  }
  try {
    const answer = await fetch(address, { signal: stop.signal });
    if (!answer.ok) return undefined;
    const page = await pageIn(answer);
    const element = page.getElementById(part);
    learnRates(page);
    return element ? document.adoptNode(element) : undefined;
  } catch {
    return stop.signal.aborted ? "stopped" : undefined;
  }
}

/** Give the focus back to the same control; after paging, to the top of the new page. */
function refocus(fresh: HTMLElement, from?: Element): void {
  const paged = from?.getAttribute("rel");
  const same = from?.id && !paged ? document.getElementById(from.id) : null;
  if (!same) fresh.tabIndex = -1;
  (same ?? fresh).focus({ preventScroll: true });
  if (paged) fresh.scrollIntoView({ block: "start" });
}

function say(fresh: HTMLElement): void {
  const said = document.getElementById("said");
  if (said) said.textContent = fresh.querySelector("[data-say]")?.textContent ?? "";
}

/** The language links lead to what is on the screen now. */
export function followLanguages(): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".languages a")) {
    const url = new URL(link.href);
    for (const name of new Set([...Object.values(OWNED).flat(), "ids"])) {
      url.searchParams.delete(name);
      const value = new URL(location.href).searchParams.get(name);
      if (value) url.searchParams.set(name, value);
    }
    link.href = url.href;
  }
}

async function goBack(swapped: Swapped): Promise<void> {
  const url = new URL(location.href);
  const input = document.querySelector<HTMLInputElement>("#q");
  if (input) input.value = url.searchParams.get("q") ?? "";
  // A jump within the page comes here too, and charts follow the address themselves.
  const before = shown;
  for (const part of ["market", "figures"]) {
    if (of(part, url.search) !== of(part, before)) await renew(part, url, "none", swapped);
  }
}

/** What an address says of a part. */
function of(part: string, search: string): string {
  const given = new URLSearchParams(search);
  return JSON.stringify(owned(part).map((name) => given.get(name)));
}

/** The search renews the table while one types; `/` leads to it from anywhere on the page. */
function search(swapped: Swapped): void {
  const box = document.getElementById("search");
  const input = document.querySelector<HTMLInputElement>("#q");
  if (!(box instanceof HTMLFormElement) || !input) return;
  let typing = 0;
  const find = (history_: History): void => {
    clearTimeout(typing);
    const url = new URL(location.href);
    url.searchParams.delete("offset");
    if (input.value.trim()) url.searchParams.set("q", input.value.trim());
    else url.searchParams.delete("q");
    void renew("market", url, history_, swapped);
  };
  input.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => find("replace"), TYPING_MS);
  });
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    find("replace");
  });
  addEventListener("keydown", (event) => {
    const typed = (event.target as Element).closest("input, textarea, select");
    if (event.key !== "/" || typed || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}
