/** The choices of a chart: links to real addresses, and buttons for what only the script can draw. */
import { address, impossible, scaleOf, usualScale, type State } from "./state";
import type { Form, Scale } from "./picture";

type Wanted = (change: Partial<State>) => void;

/** Let the controls of a section change its state. */
export function listen(section: HTMLElement, state: () => State, wanted: Wanted): void {
  section.addEventListener("click", (event) => {
    if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const control = (event.target as Element).closest<HTMLElement>("[data-range],[data-field],[data-scale],[data-form],[data-reset]");
    const change = control && section.contains(control) ? changeOf(control, state()) : undefined;
    if (!change) return;
    event.preventDefault();
    if (control!.getAttribute("aria-disabled") !== "true") wanted(change);
  });
}

function changeOf(control: HTMLElement, state: State): Partial<State> | undefined {
  const { range, field, scale, form } = control.dataset;
  if (range) return { range, window: undefined };
  if (field) return { field };
  // The usual scale stays unsaid, so that it follows the field and the assets.
  if (scale) return { scale: scale === usualScale(state.field, state.ids.length) ? undefined : (scale as Scale) };
  if (form) return { form: form as Form };
  return { window: undefined };
}

/** Show the state in the controls: what is chosen, where links lead, and what cannot be had. */
export function mark(section: HTMLElement, state: State): void {
  for (const link of section.querySelectorAll<HTMLAnchorElement>("a[data-range],a[data-field],a[data-reset]")) {
    const { range, field } = link.dataset;
    link.href = address({ ...state, ...changeOf(link, state) }).href;
    current(link, range ? range === state.range && !state.window : field === state.field);
  }
  for (const button of section.querySelectorAll<HTMLElement>("[data-scale],[data-form]")) {
    const { scale, form } = button.dataset;
    button.setAttribute("aria-pressed", String(scale ? scale === scaleOf(state) : form === state.form));
    able(button, !impossible(state, { scale, form }));
  }
  const reset = section.querySelector<HTMLElement>("[data-reset]");
  if (reset) reset.hidden = !state.window;
}

function current(link: HTMLElement, is: boolean): void {
  if (is) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

/** What cannot be had stays in its place, can be reached, and says why. */
function able(button: HTMLElement, can: boolean): void {
  const { why, title } = { why: button.dataset["why"], title: (button.dataset["title"] ??= button.title) };
  if (can) button.removeAttribute("aria-disabled");
  else button.setAttribute("aria-disabled", "true");
  button.title = can ? title : (why ?? title);
}
