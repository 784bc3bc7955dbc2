/** Parts of a published page as an address asks for them: made here, or ready-made as files. */
import { pageIn } from "../parsed";
import { marketPart } from "./market";

export async function partOf(part: string, url: URL): Promise<HTMLElement | undefined> {
  return part === "market" ? marketPart(url) : readyMade(part, url);
}

/** What the files of a part are named after. */
const NAMED: Record<string, string> = { figures: "range", slots: "at", calendar: "year" };

/** A part that lies beside its page: one for each range, day or year. */
async function readyMade(part: string, url: URL): Promise<HTMLElement | undefined> {
  const name = url.searchParams.get(NAMED[part] ?? "") ?? "";
  const path = `${url.pathname.replace(/\/$/, "")}/${part}${/^[0-9a-z-]+$/.test(name) ? `-${name}` : ""}.html`;
  const answer = await fetch(path);
  if (!answer.ok) return undefined;
  const page = await pageIn(answer);
  const element = page.getElementById(part);
  return element ? document.adoptNode(element) : undefined;
}
