/**
 * Amounts of USD that the server wrote, in the currency chosen: each by the rate that was recorded
 * at its own slot. Where none was, it stays in USD and says so.
 */
import { currency, onCurrency } from "./currency";
import { amount, type Kind } from "./format";
import { onMount, within } from "./mounts";
import { t } from "./texts";

/** By slot and currency: what one unit was worth in USD. */
const rates = new Map<string, Record<string, number>>();
/** The newest slot that the page, or a part of it that came later, was made of. */
const slots = new WeakMap<Element, string>();
/** What the server wrote. */
const written = new WeakMap<Element, string>();
let newest = "";

/** Take the rates that come with a page, or with a part of it. */
export function learnRates(page: ParentNode): void {
  const script = page.querySelector<HTMLElement>("#rates");
  if (!script) return;
  newest = script.dataset["slot"] ?? "";
  for (const [slot, known] of Object.entries(JSON.parse(script.textContent!) as object)) rates.set(slot, known);
}

/** Amounts that name no slot are of the newest one, as of when their part was made. */
export function dated(part: Element): void {
  slots.set(part, newest);
}

function rateOf(place: HTMLElement, code: string): number | undefined {
  if (code === "USD") return 1;
  for (let around: HTMLElement | null = place; around; around = around.parentElement) {
    const slot = around.dataset["slot"] ?? slots.get(around);
    if (slot) return rates.get(slot)?.[code];
  }
  return undefined;
}

/** Write the amounts of a part in the currency of this moment. */
export function writeAmounts(part: ParentNode): void {
  const code = currency();
  for (const place of within<HTMLDataElement>(part, "data[data-as]")) {
    const rate = rateOf(place, code);
    const usd = written.get(place) ?? place.textContent!;
    written.set(place, usd);
    if (rate === undefined) leave(place, usd, code);
    else write(place, code === "USD" ? usd : amount(place.dataset["as"] as Kind, Number(place.value) / rate, code));
  }
  explain(code);
}

function write(place: HTMLElement, text: string): void {
  if (place.textContent !== text) place.textContent = text;
  place.classList.remove("unrated");
  place.removeAttribute("title");
}

function leave(place: HTMLElement, usd: string, code: string): void {
  const mark = document.createElement("small");
  mark.textContent = "USD";
  place.replaceChildren(usd, " ", mark);
  place.classList.add("unrated");
  place.title = t("unrated", { currency: code });
}

/** Say once in words what the marks mean, and in the footer what all amounts are in. */
function explain(code: string): void {
  const note = document.getElementById("unrated");
  if (note) {
    note.hidden = !document.querySelector("data.unrated");
    note.textContent = note.hidden ? "" : t("unrated", { currency: code });
  }
  const unit = document.getElementById("unit");
  if (!unit) return;
  if (!written.has(unit)) written.set(unit, unit.textContent!);
  unit.textContent = code === "USD" ? written.get(unit)! : t("unit", { currency: code });
}

onMount((part) => {
  if (part === document) {
    learnRates(document);
    dated(document.documentElement);
  } else if (part instanceof Element) dated(part);
  if (currency() !== "USD") writeAmounts(part);
});
onCurrency(() => writeAmounts(document));
