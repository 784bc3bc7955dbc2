/** The currency that a reader has chosen: in the address, else remembered in this browser, else USD. */
import { form } from "./texts";

type Listener = (currency: string) => void;

const NAME = "currency";
const listeners: Listener[] = [];
let current = chosen();

export function currency(): string {
  return current;
}

/** Be told when another currency is chosen. */
export function onCurrency(listener: Listener): void {
  listeners.push(listener);
}

/** Show everything in a currency from now on, here and on the pages to come. */
export function choose(code: string): void {
  current = code;
  try {
    sessionStorage.removeItem(NAME);
    if (code === "USD") localStorage.removeItem(NAME);
    else localStorage.setItem(NAME, code);
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the address.
  }
  tell();
}

function chosen(): string {
  const asked = known(new URLSearchParams(location.search).get(NAME));
  try {
    // Whoever came by an address with a currency goes on in it, for this visit.
    if (asked && asked !== remembered()) sessionStorage.setItem(NAME, asked);
  } catch {
    // Storage can be forbidden.
  }
  return asked ?? remembered() ?? "USD";
}

function known(code: string | null): string | undefined {
  return Object.keys(form.currencies).find((one) => one === code);
}

function remembered(): string | undefined {
  try {
    return known(sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME));
  } catch {
    return undefined;
  }
}

function tell(): void {
  keepAddress();
  for (const listener of listeners) listener(current);
}

/** Whoever is sent this address sees what is on the screen, and so does the other language. */
function keepAddress(): void {
  const here = named(location.href);
  if (here !== location.href) history.replaceState(history.state, "", here);
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".languages a")) link.href = named(link.href);
}

/** An address with the currency in it, unless it is the one that is shown without. */
function named(address: string): string {
  const url = new URL(address);
  if (current === "USD" && !remembered()) url.searchParams.delete(NAME);
  else url.searchParams.set(NAME, current);
  // Commas between ids may stand as they are, and read better.
  return url.href.replace(/%2C/g, ",");
}

/** The choice in the page's header; it is of use only with this script. */
export function currencyChoice(): void {
  const box = document.getElementById("currency");
  const select = box?.querySelector("select");
  if (box && select) {
    const show = (): void => {
      select.value = current;
      box.querySelector(".code")!.textContent = current;
    };
    select.addEventListener("change", () => choose(select.value));
    onCurrency(show);
    show();
    box.hidden = false;
  }
  addEventListener("popstate", () => {
    if (chosen() === current) return;
    current = chosen();
    for (const listener of listeners) listener(current);
  });
  if (current !== "USD") keepAddress();
}
