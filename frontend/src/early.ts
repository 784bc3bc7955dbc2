/** The little that runs before the first paint; a classic script, because those alone do. */
const PATIENCE_MS = 300;

/** A reader's own choice of light or dark must not flash. A framed chart has its site's. */
function setTheme(): void {
  if (document.documentElement.dataset["theme"]) return;
  try {
    const chosen = localStorage.getItem("theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
  } catch {
    // Storage can be forbidden; then the system's choice stands.
  }
}

/**
 * The page's scripts are on their way meanwhile, and start when the server's chart is on the
 * screen: before that they would compete with it for the processor. A page that nobody looks at is
 * not painted, and a browser may not tell; then they start a little after everything is loaded.
 */
function startWhenPainted(): void {
  const scripts = document.querySelector<HTMLLinkElement>("link[rel=modulepreload]");
  const start = (): void => {
    // A long page is painted before all of it has come.
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
    else if (scripts) void import(scripts.href);
  };
  const observer = new PerformanceObserver(() => {
    observer.disconnect();
    start();
  });
  observer.observe({ type: "paint", buffered: true });
  addEventListener("load", () => setTimeout(start, PATIENCE_MS));
}

setTheme();
startWhenPainted();
