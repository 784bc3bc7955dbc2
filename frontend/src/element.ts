/** Elements for a page: what is given is text, so that no name of an asset becomes markup. */

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  text = "",
  settings: Record<string, string> = {},
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(settings)) made.setAttribute(key, value);
  return made;
}
