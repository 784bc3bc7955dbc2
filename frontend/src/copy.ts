/** Buttons that copy the text of another element: `<button data-copy="its id" hidden>`. */
import { onMount, within } from "./mounts";
import { t } from "./texts";

onMount((part) => {
  for (const button of within<HTMLButtonElement>(part, "[data-copy]")) {
    // Browsers lend the clipboard to secure pages only: elsewhere the text can be selected.
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
});

async function copy(button: HTMLButtonElement): Promise<void> {
  const text = document.getElementById(button.dataset["copy"] ?? "")?.textContent ?? "";
  await navigator.clipboard.writeText(text);
  button.textContent = t("copied");
  const said = document.getElementById("said");
  if (said) said.textContent = t("copied");
}
