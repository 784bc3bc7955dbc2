/** Keys and buttons that work on every page. What they need is loaded when it is first wanted. */
import { onMount, within } from "./mounts";

export function pageKeys(): void {
  addEventListener("keydown", (event) => {
    const typed = (event.target as Element).closest?.("input, textarea, select, [contenteditable]");
    if (typed || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") void import("./lazy/help").then((help) => help.openHelp());
    if (event.key === "/" && !document.getElementById("q")) toSearch(event);
  });
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLButtonElement>("button[data-copy]");
    if (button) void import("./lazy/copy").then((copy) => copy.copyBefore(button));
  });
  // What a box's opening tells does not bubble.
  document.addEventListener("toggle", ({ target }) => shareOpened(target as Element), true);
}

onMount((part) => {
  for (const button of within<HTMLButtonElement>(part, "button[data-copy]")) button.hidden = false;
});

function shareOpened(box: Element): void {
  if (box.id === "share") void import("./lazy/share").then((share) => share.keepShare(box));
}

/** The market's page has the search; an address that ends in its name leads into it. */
function toSearch(event: Event): void {
  const home = document.querySelector<HTMLAnchorElement>("a.brand");
  if (!home) return;
  event.preventDefault();
  location.assign(`${home.href}#q`);
}
