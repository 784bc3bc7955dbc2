/** Addresses to copy that follow what is on the screen: the page's own address holds all of it. */

const NOT_SHARED = ["lang", "part"];

export function keepShare(box: Element): void {
  const query = shown();
  // A published page does not know its own host.
  put(box, "#share-link", (text) => text.replace(/^(?=\/)/, location.origin).replace(/\?.*$|$/s, query));
  put(box, "#share-frame", (text) => text.replace(/src="(?=\/)/, `src="${location.origin}`));
  put(box, "#share-frame", (text) =>
    text.replace(
      /(src="[^"?]*)[^"]*"/,
      (_, start: string) => `${start}${query.replace(/&/g, "&amp;")}"`,
    ),
  );
}

function shown(): string {
  const url = new URL(location.href);
  for (const name of NOT_SHARED) url.searchParams.delete(name);
  return url.search;
}

function put(box: Element, selector: string, change: (text: string) => string): void {
  const field = box.querySelector<HTMLInputElement | HTMLTextAreaElement>(selector);
  if (field) field.value = change(field.value);
}
