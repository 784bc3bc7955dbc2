/** Copy what stands before a button: what is in a field, or a text. */

const SAID_MS = 2000;

export async function copyBefore(button: HTMLButtonElement): Promise<void> {
  const source = button.previousElementSibling;
  if (!source) return;
  await navigator.clipboard?.writeText(taken(source)).then(
    () => say(button),
    // Where the clipboard is out of reach, the text is at least selected.
    () => undefined,
  );
}

function taken(source: Element): string {
  if (source instanceof HTMLInputElement || source instanceof HTMLTextAreaElement) {
    source.select();
    return source.value;
  }
  getSelection()?.selectAllChildren(source);
  return source.textContent ?? "";
}

function say(button: HTMLButtonElement): void {
  const { textContent: name } = button;
  const done = button.dataset["copy"] ?? "";
  const said = document.getElementById("said");
  if (said) said.textContent = done;
  if (name === done) return;
  button.textContent = done;
  setTimeout(() => (button.textContent = name), SAID_MS);
}
