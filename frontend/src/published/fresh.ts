/**
 * A published page can be older than the data beside it: pages of assets and slots are written anew
 * only when more than numbers has changed. What they say of now is read from the newest files.
 */
import { writeAmounts } from "../amounts";
import { data, forget } from "../edition";
import { element } from "../element";
import { amount, count, direction, percent, type Kind } from "../format";
import { currency } from "../currency";
import { t } from "../texts";
import { rates } from "./market";
import { clock, inFull, machine } from "./moments";
import type { Market } from "./select";

interface Latest {
  slot: number | null;
  as_of: number | null;
  next_slot: number | null;
  interval: number | null;
  missed: number;
  version: number;
}

const KINDS: Record<string, Kind> = {
  price: "price",
  market_cap: "money_full",
  fully_diluted_market_cap: "money_full",
  volume_24h: "money_full",
};
/** Bring a published page up to what the newest files say; called again when a slot is stored. */
export async function refresh(): Promise<void> {
  try {
    const latest = await data<Latest>("latest.json");
    const fresh = document.getElementById("fresh");
    if (!latest?.slot || !fresh || Number(fresh.dataset["version"]) >= latest.version) return;
    tellNow(fresh, latest);
    forget("market.json");
    await refreshFacts();
  } catch {
    // The files are out of reach: the page says as of when it is.
    forget("latest.json");
  }
}

function tellNow(fresh: HTMLElement, latest: Latest): void {
  const { slot, as_of, next_slot, interval, missed, version } = latest;
  fresh.dataset["slot"] = String(slot);
  fresh.dataset["version"] = String(version);
  if (interval) fresh.dataset["interval"] = String(interval);
  if (next_slot) fresh.dataset["next"] = String(next_slot);
  const state = missed ? (missed === 1 ? "amber" : "red") : "fresh";
  fresh.className = `fresh ${state}`;
  fresh.dataset["state"] = state;
  const said = fresh.querySelector(".state");
  if (said) said.textContent = missed ? t("missed", { n: missed }) : t("fresh");
  const age = fresh.querySelector<HTMLElement>("[data-age]");
  if (age && as_of) age.dataset["age"] = String(as_of);
  times(fresh, [as_of, next_slot]);
  fresh.querySelector(".next")?.removeAttribute("hidden");
}

/** The times in a part, one after the other, in the way in which they are written there. */
function times(part: Element, moments: (number | null)[]): void {
  part.querySelectorAll("time").forEach((place, index) => {
    const moment = moments[index];
    if (moment) write(place, moment);
  });
}

function write(place: HTMLTimeElement, moment: number): void {
  const text = place.textContent!;
  place.dateTime = machine(moment);
  // A moment is told with its day, or by the clock alone.
  place.textContent = /^\d{2}:\d{2}/.test(text) ? text.replace(/\d{2}:\d{2}/, clock(moment)) : inFull(moment);
}

/** An asset's numbers as of the newest slot, where it is in it. */
async function refreshFacts(): Promise<void> {
  const id = Number(/\/assets\/(\d+)\/?$/.exec(location.pathname)?.[1]);
  const market = id ? await data<Market>("market.json") : undefined;
  const place = market?.assets["id"]!.indexOf(id) ?? -1;
  if (!market || place < 0) return;
  rates(market);
  for (const fact of document.querySelectorAll<HTMLElement>("[data-k]")) {
    const column = market.assets[fact.dataset["k"]!];
    if (column) tell(fact, column[place] as number | null, market.slot);
  }
  if (currency() !== "USD") writeAmounts(document);
}

function tell(fact: HTMLElement, value: number | null, slot: number): void {
  const name = fact.dataset["k"]!;
  if (value === null) fact.textContent = "–";
  else if (KINDS[name]) {
    const kind = KINDS[name];
    const settings = { value: String(value), "data-as": kind, "data-slot": String(slot) };
    fact.replaceChildren(element("data", amount(kind, value), settings));
  } else if (name.startsWith("percent")) {
    fact.replaceChildren(element("span", percent(value), { class: direction(value) }));
  } else fact.textContent = count(value);
}
