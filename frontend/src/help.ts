/** The page of the keys, shown over the one that is open. */
import { pageIn } from "./parsed";

let dialog: HTMLDialogElement | undefined;

export async function openHelp(): Promise<void> {
  if (dialog?.open) return;
  dialog ??= await made();
  if (dialog && !dialog.open) dialog.showModal();
}

async function made(): Promise<HTMLDialogElement | undefined> {
  const link = document.querySelector<HTMLAnchorElement>("a#keys-link");
  if (!link) return undefined;
  const answer = await fetch(link.href).catch(() => undefined);
  if (!answer?.ok) {
    location.assign(link.href);
    return undefined;
  }
  const page = await pageIn(answer);
  const content = page.getElementById("keys");
  if (!content) return undefined;
  // Its page has styles that this one may lack.
  for (const style of page.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")) {
    if (!document.querySelector(`link[href="${style.getAttribute("href")}"]`)) await styled(style);
  }
  return over(document.adoptNode(content));
}

function styled(style: HTMLLinkElement): Promise<void> {
  return new Promise((loaded) => {
    style.addEventListener("load", () => loaded());
    style.addEventListener("error", () => loaded());
    document.head.append(document.adoptNode(style));
  });
}

function over(content: HTMLElement): HTMLDialogElement {
  const box = document.createElement("dialog");
  box.className = "help";
  box.setAttribute("aria-labelledby", "keys-title");
  const close = content.querySelector<HTMLButtonElement>("button");
  if (close) {
    close.hidden = false;
    close.addEventListener("click", () => box.close());
  }
  // A click beside the dialog closes it: there the dialog itself is what is hit.
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close();
  });
  box.append(content);
  document.body.append(box);
  return box;
}
