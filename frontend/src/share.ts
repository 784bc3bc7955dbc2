/** Addresses to copy that follow what is on the screen: the page's own address holds all of it. */

const NOT_SHARED = ["lang", "part"];

export function keepShare(box: Element): void {
  const query = shown();
  put(box, "#share-link", (text) => text.replace(/\?.*$|$/s, query));
  put(box, "#share-frame", (text) =>
    text.replace(/(src="[^"?]*)[^"]*"/, (_, start: string) => `${start}${query.replace(/&/g, "&amp;")}"`),
  );
  for (const field of box.querySelectorAll<Field>("input, textarea")) addCopy(box, field);
}

type Field = HTMLInputElement | HTMLTextAreaElement;

function shown(): string {
  const url = new URL(location.href);
  for (const name of NOT_SHARED) url.searchParams.delete(name);
  return url.search;
}

function put(box: Element, selector: string, change: (text: string) => string): void {
  const field = box.querySelector<Field>(selector);
  if (field) field.value = change(field.value);
}

/** A button beside a field; where the clipboard is out of reach, the text is at least selected. */
function addCopy(box: Element, field: Field): void {
  const button = field.parentElement?.querySelector<HTMLButtonElement>("button[hidden]");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    field.select();
    const said = box.querySelector<HTMLElement>("[data-copied]");
    void navigator.clipboard?.writeText(field.value).then(() => {
      if (said) said.textContent = said.dataset["copied"] ?? "";
    }, () => undefined);
  });
}
