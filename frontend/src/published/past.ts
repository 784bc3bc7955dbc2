/** The time machine of a published edition: which recorded slot a moment leads to. */
import { data } from "../edition";
import { absolute } from "../data/decode";
import { inFull, machine } from "./moments";

interface Log {
  slots: number[];
  outcomes: string;
}

const MONTHS_BACK = 12;

/** Show the slot that an address asks for, or the one recorded before it. */
export async function showPast(url: URL): Promise<void> {
  const when = document.querySelector<HTMLFormElement>("form.when")!;
  when.onsubmit = (event): void => {
    event.preventDefault();
    const to = new URL(location.href);
    to.searchParams.set("at", new FormData(when).get("at") as string);
    location.assign(to);
  };
  const asked = momentOf(url.searchParams.get("at"));
  const slot = asked === undefined ? undefined : await recordedBefore(asked);
  if (slot === undefined) {
    url.searchParams.delete("at");
    return;
  }
  url.searchParams.set("at", String(slot));
  history.replaceState(null, "", url);
  tell(slot);
}

/** A time as an address holds it: seconds since 1970, or ISO 8601, UTC where it names no zone. */
export function momentOf(text: string | null): number | undefined {
  if (!text) return undefined;
  if (/^[0-9]{9,11}$/.test(text)) return Number(text);
  const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

async function recordedBefore(moment: number): Promise<number | undefined> {
  const month = new Date(moment * 1000);
  month.setUTCDate(1);
  for (let back = 0; back < MONTHS_BACK; back++) {
    const log = await data<Log>(`log/${month.toISOString().slice(0, 7)}.json`);
    const slots = absolute(log?.slots ?? []);
    const there = slots.filter((slot, index) => slot <= moment && "sp".includes(log!.outcomes[index]!));
    if (there.length) return there[there.length - 1];
    month.setUTCMonth(month.getUTCMonth() - 1);
  }
  return undefined;
}

/** The heading says which slot it is; the whole market's figures on the page are those of another. */
function tell(slot: number): void {
  const heading = document.querySelector<HTMLElement>("#past-slot");
  const time = heading?.querySelector("time");
  if (!heading || !time) return;
  if (time.dateTime === machine(slot)) return;
  time.dateTime = machine(slot);
  time.textContent = inFull(slot);
  const at = document.querySelector<HTMLInputElement>("form.when #at");
  if (at) at.value = machine(slot).slice(0, 16);
  const top = document.querySelector<HTMLAnchorElement>("a.top-ten");
  if (top) top.search = `?at=${slot}&limit=10`;
  document.getElementById("global")?.remove();
  const eyebrow = document.querySelector<HTMLElement>(".past .eyebrow");
  if (eyebrow?.dataset["then"]) eyebrow.textContent = eyebrow.dataset["then"];
  document.querySelector(".past .jumps")?.remove();
}
