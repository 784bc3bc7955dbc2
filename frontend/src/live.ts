/**
 * An open page follows the store: soon after a slot was due it asks whether it is stored, and then
 * renews the parts that have changed: those with `data-renew`, which names them where their id does
 * not. It asks no oftener than slots can come, and not at all while nobody looks.
 */
import { graceOf } from "./ages";
import { data, forget, isPublished } from "./edition";

interface Latest {
  slot: number | null;
  version: number;
}

/** What the page says of itself: how new it is, and when something newer can be there. */
export interface Now {
  slot: number | undefined;
  due: number;
  interval: number;
  version: number;
  /** The server could not read its database: what it shows is from before. */
  away: boolean;
}

const FIRST_SECONDS = 5;
/** How long to wait before asking again, by how long the slot is overdue. */
const STEPS = [
  [10, 5],
  [25, 15],
  [50, 30],
] as const;
const MINUTE = 60;

let timer = 0;
let asked = seconds();

export function keepLive(): void {
  document.addEventListener("visibilitychange", plan);
  plan();
}

function seconds(): number {
  return Date.now() / 1000;
}

/** What a page says of itself; nothing where no slot is to come. */
export function now(page: Document = document): Now | undefined {
  const said = page.getElementById("fresh")?.dataset;
  if (!said?.["next"]) return undefined;
  const interval = Number(said["interval"]);
  const slot = said["slot"] ? Number(said["slot"]) : undefined;
  const next = Number(said["next"]);
  // Where the slot before the next one is not stored yet, that is the one to wait for.
  const due = slot === undefined ? next : Math.min(next, slot + interval);
  return { slot, due, interval, version: Number(said["version"]), away: "away" in said };
}

function plan(): void {
  clearTimeout(timer);
  const known = now();
  if (document.hidden || !known) return;
  const wait = Math.max(0, nextQuestion(known) - seconds());
  timer = setTimeout(() => void look(), wait * 1000);
}

/** When to ask next; readers of the same slot do not all ask in the same moment. */
function nextQuestion({ due, interval, away }: Now): number {
  const spread = 1 + Math.random() / 4;
  if (away) return asked + MINUTE * spread;
  if (asked < due) return due + FIRST_SECONDS * spread;
  const late = seconds() - due;
  const step = STEPS.find(([until]) => late < until)?.[1];
  const calm = late < graceOf(interval) ? MINUTE : Math.max(MINUTE, interval / 10);
  return asked + (step ?? calm) * spread;
}

async function look(): Promise<void> {
  asked = seconds();
  try {
    forget("latest.json");
    const latest = await data<Latest>("latest.json");
    const known = now();
    const same = latest?.version === known?.version && (latest?.slot ?? undefined) === known?.slot;
    if (latest && (!same || known?.away)) await (await import("./lazy/renew")).renewPage();
    if (latest && !same && isPublished()) await (await import("./lazy/published")).start();
  } catch {
    // The server or the network is away: what is shown stays, and says how old it is.
  }
  plan();
}
