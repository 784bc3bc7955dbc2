/** What a reader has done to a part of the page stays when the part is renewed. */

/** Note a part's focus, typed text, opened details and scrolling; the function returned restores them. */
export function keeping(old: HTMLElement): (fresh: HTMLElement) => void {
  const all = [old, ...old.querySelectorAll<HTMLElement>("*")];
  const restore = [focusOf(old), ...all.map(stateOf)].filter((one) => one !== undefined);
  return (fresh) => restore.forEach((one) => one((place) => twin(place, old, fresh)));
}

type Find = (place: Element) => HTMLElement | null;
type Restore = (find: Find) => void;

/** The same element in a renewed part: by its id, where it leads, or its place among its like. */
function twin(place: Element, old: HTMLElement, fresh: HTMLElement): HTMLElement | null {
  if (place === old) return fresh;
  const named = place.id && fresh.querySelector<HTMLElement>(`#${CSS.escape(place.id)}`);
  if (named) return named;
  const tag = place.localName;
  const href = place.getAttribute("href");
  const leading = href && fresh.querySelector<HTMLElement>(`${tag}[href="${CSS.escape(href)}"]`);
  if (leading) return leading;
  const index = [...old.getElementsByTagName(tag)].indexOf(place);
  return (fresh.getElementsByTagName(tag)[index] as HTMLElement | undefined) ?? null;
}

function focusOf(old: HTMLElement): Restore | undefined {
  const focused = document.activeElement;
  if (!focused || !old.contains(focused)) return undefined;
  const typed = focused instanceof HTMLInputElement && focused.selectionStart !== null ? focused : undefined;
  const [start, end] = [typed?.selectionStart ?? 0, typed?.selectionEnd ?? 0];
  return (find) => {
    const place = find(focused) ?? find(old)!;
    if (place.tabIndex < 0) place.tabIndex = -1;
    place.focus({ preventScroll: true });
    if (typed && place instanceof HTMLInputElement) place.setSelectionRange(start, end);
  };
}

function stateOf(place: HTMLElement): Restore | undefined {
  const { scrollLeft, scrollTop } = place;
  if (scrollLeft || scrollTop) return (find) => find(place)?.scrollTo(scrollLeft, scrollTop);
  if (place instanceof HTMLDetailsElement) {
    const { open } = place;
    return (find) => {
      const fresh = find(place);
      if (fresh instanceof HTMLDetailsElement) fresh.open = open;
    };
  }
  if (place instanceof HTMLInputElement || place instanceof HTMLTextAreaElement) {
    const { value, defaultValue } = place;
    if (value === defaultValue) return undefined;
    return (find) => {
      const fresh = find(place);
      if (fresh instanceof HTMLInputElement || fresh instanceof HTMLTextAreaElement) fresh.value = value;
    };
  }
  return undefined;
}
