/** The log of a published edition: a day's slots and a year's days lie in files beside its page. */
import { element } from "../element";
import { mount } from "../mounts";
import { renew } from "../swap";
import { momentOf } from "./past";

/** Show the day and the year that an address asks for. */
export async function showLog(url: URL): Promise<void> {
  const moment = momentOf(url.searchParams.get("at"));
  const day = moment === undefined ? undefined : new Date(moment * 1000).toISOString().slice(0, 10);
  const year = url.searchParams.get("year") ?? (day && !linkTo(day) ? day.slice(0, 4) : undefined);
  if (year && document.querySelector(`#calendar nav a[href$="year=${CSS.escape(year)}"]`)) {
    await show("calendar", url, "year", year);
  }
  if (day === undefined) return;
  if (!(await show("slots", url, "at", day))) tellNone(day);
  linkTo(day)?.setAttribute("aria-current", "date");
  if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
}

const linkTo = (day: string): Element | null => document.querySelector(`#calendar .days a[href*="at=${day}"]`);

async function show(part: string, url: URL, name: string, value: string): Promise<boolean> {
  const asked = new URL(url);
  asked.searchParams.set(name, value);
  return renew(part, asked, "none", mount);
}

/** No slot was due on that day. */
function tellNone(day: string): void {
  const part = document.getElementById("slots")!;
  part.querySelector("h2")!.textContent = day;
  for (const place of part.querySelectorAll(".strip, table, .pager")) place.remove();
  part.append(element("p", part.dataset["none"]!, { class: "none" }));
}
