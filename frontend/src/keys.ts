/** Keys that work on every page. What they open is loaded when it is first wanted. */

export function pageKeys(): void {
  addEventListener("keydown", (event) => {
    const typed = (event.target as Element).closest?.("input, textarea, select, [contenteditable]");
    if (typed || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") void import("./help").then((help) => help.openHelp());
    if (event.key === "/" && !document.getElementById("q")) toSearch(event);
  });
  // Opening does not bubble.
  document.addEventListener(
    "toggle",
    (event) => {
      const box = event.target as Element;
      if (box.id === "share") void import("./share").then((share) => share.keepShare(box));
    },
    true,
  );
}

/** The market's page has the search; leaving for it focuses it. */
function toSearch(event: Event): void {
  const home = document.querySelector<HTMLAnchorElement>("a.brand");
  if (!home) return;
  event.preventDefault();
  location.assign(`${home.href}#q`);
}
