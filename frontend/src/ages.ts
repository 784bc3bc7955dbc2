/** Ages in words, reckoned here because pages are kept by caches, and freshness as it decays. */
import { onMount } from "./mounts";
import { t } from "./texts";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const EVERY_MS = 20_000;

/** A duration of a minute or more in its two largest units: `1 h 12 min`. */
function duration(seconds: number): string {
  if (seconds < HOUR) return t("minutes", { m: Math.floor(seconds / MINUTE) });
  const hours = Math.floor(seconds / HOUR);
  if (seconds < 2 * DAY) return t("hours", { h: hours, m: Math.floor((seconds % HOUR) / MINUTE) });
  return t("days", { d: Math.floor(seconds / DAY), h: hours % 24 });
}

function renew(): void {
  const now = Date.now() / 1000;
  for (const place of document.querySelectorAll<HTMLElement>("[data-age]")) {
    const age = Math.max(0, now - Number(place.dataset["age"]));
    place.textContent = age < MINUTE ? t("now") : t("ago", { age: duration(age) });
  }
  const fresh = document.getElementById("fresh");
  if (fresh?.dataset["slot"]) decay(fresh, now);
}

/** How long after its time a slot may still be recorded before it counts as missed. */
export const graceOf = (interval: number): number => Math.max(2 * MINUTE, interval / 10);

/** An open page grows stale: count the slots whose grace has passed since it was made. */
function decay(fresh: HTMLElement, now: number): void {
  const interval = Number(fresh.dataset["interval"]);
  const missed = Math.floor((now - graceOf(interval) - Number(fresh.dataset["slot"])) / interval);
  if (missed < 1) return;
  fresh.classList.remove("fresh-state", "amber", "red");
  fresh.classList.add(missed === 1 ? "amber" : "red");
  const state = fresh.querySelector(".state");
  // What was next when the page was made is past.
  fresh.querySelector(".next")?.setAttribute("hidden", "");
  if (state) state.textContent = t("missed", { n: missed });
}

onMount(renew);

export function keepAges(): void {
  setInterval(renew, EVERY_MS);
  document.addEventListener("visibilitychange", renew);
}
