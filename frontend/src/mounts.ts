/**
 * What is brought to life in a page, and again in each part of it that is renewed. A module adds its
 * own with `onMount`; `mount` runs them all over a part.
 */

type Mount = (part: ParentNode) => void;

const mounts: Mount[] = [];
const asSent = new WeakMap<Element, string>();

/** Run a function over the page as it is loaded, and over every part that replaces another. */
export function onMount(run: Mount): void {
  mounts.push(run);
}

export function mount(part: ParentNode): void {
  for (const place of within(part, "[data-renew]")) asSent.set(place, place.outerHTML);
  for (const run of mounts) run(part);
}

/** What the server sent of an element that is renewed, before any script made something of it. */
export const sent = (place: Element): string | undefined => asSent.get(place);

/** The elements of a part that match, the part itself among them. */
export function within<E extends Element>(part: ParentNode, selector: string): E[] {
  const inside = [...part.querySelectorAll<E>(selector)];
  return part instanceof Element && part.matches(selector) ? [part as unknown as E, ...inside] : inside;
}
