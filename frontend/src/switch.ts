/** The switch between light, dark and the system's choice, remembered in this browser. */

export function themeSwitch(changed: () => void): void {
  const box = document.getElementById("theme");
  if (!(box instanceof HTMLFieldSetElement)) return;
  const root = document.documentElement;
  const current = root.dataset["theme"] ?? "auto";
  for (const input of box.querySelectorAll("input")) {
    input.checked = input.value === current;
    input.addEventListener("change", () => {
      choose(root, input.value);
      changed();
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  box.hidden = false;
}

function choose(root: HTMLElement, theme: string): void {
  if (theme === "auto") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the page.
  }
}
