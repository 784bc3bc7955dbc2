/** An open page takes over what a new slot has changed, and leaves the rest as the reader has it. */
import { dated, learnRates, writeAmounts } from "./amounts";
import { forget } from "./edition";
import { keeping } from "./keeping";
import { now } from "./live";
import { mount, sent } from "./mounts";
import { pageIn } from "./parsed";
import { t } from "./texts";

/** Fetch this page anew, and put what has changed in the place of what is shown. */
export async function renewPage(): Promise<void> {
  const answer = await fetch(location.href, { cache: "no-cache" });
  if (!answer.ok) return;
  const page = await pageIn(answer);
  const [before, after] = [now(), now(page)];
  if (!after) return;
  // Another build has other scripts, and an empty store's page has other parts.
  const build = page.documentElement.dataset["build"];
  const changed = build !== document.documentElement.dataset["build"];
  if (changed || (before?.slot === undefined && after.slot !== undefined)) {
    location.reload();
    return;
  }
  learnRates(page);
  const fresh = new Map(partsOf(page).map((part) => [nameOf(part), part]));
  for (const old of partsOf(document)) renewPart(old, fresh.get(nameOf(old)));
  if (after.slot !== undefined && after.slot !== before?.slot) announce(after.slot);
}

const partsOf = (page: Document): HTMLElement[] => [...page.querySelectorAll<HTMLElement>("[data-renew]")];

const nameOf = (part: HTMLElement): string => part.dataset["renew"] || part.id;

function renewPart(old: HTMLElement, fresh: HTMLElement | undefined): void {
  // A part within another has come with it.
  if (!fresh || !old.isConnected) return;
  // What the other scripts made of it is theirs: changes are told by what the server sent.
  if (fresh.outerHTML === sent(old)) {
    // The same in USD, and another rate.
    dated(old);
    writeAmounts(old);
    return;
  }
  const restore = keeping(old);
  old.replaceWith(document.adoptNode(fresh));
  mount(fresh);
  restore(fresh);
}

function announce(slot: number): void {
  // What told of the slot is as new as can be.
  forget(undefined, "latest.json");
  const said = document.getElementById("said");
  const time = `${new Date(slot * 1000).toISOString().slice(11, 16)} UTC`;
  if (said) said.textContent = t("updated", { time });
  document.dispatchEvent(new CustomEvent("coinlog:slot", { detail: { slot } }));
}
