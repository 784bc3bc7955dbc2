/** Runs before the first paint: a reader's own choice of light or dark must not flash. */
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset["theme"] = chosen;
} catch {
  // Storage can be forbidden; then the system's choice stands.
}
