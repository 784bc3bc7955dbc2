/** The keyboard on a focused plot: along its points, closer, farther, sideways. */
import type { Stage } from "./plot";
import type { Readout } from "./readout";
import { moved, zoomed } from "./view";

const JUMPS: Record<string, number> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  PageUp: -20,
  PageDown: 20,
  Home: -Infinity,
  End: Infinity,
};
const ZOOMS: Record<string, number> = { "+": 0.5, "=": 0.5, "-": 2, _: 2 };
const PAN_SHARE = 0.2;

export function followKeys(stage: Stage, readout: Readout): void {
  const { box, signal } = stage;
  box.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (pressed(stage, readout, event)) event.preventDefault();
    },
    { signal },
  );
  box.addEventListener("blur", () => stage.pointNowhere(), { signal });
}

function pressed(stage: Stage, readout: Readout, { key, shiftKey }: KeyboardEvent): boolean {
  const { picture, view } = stage;
  const jump = JUMPS[key];
  const zoom = ZOOMS[key];
  if (key === "0" || key === "Escape") stage.reset();
  else if (zoom) stage.look(zoomed(picture, view, readout.timeInSight(), zoom));
  else if (jump === undefined) return false;
  else if (shiftKey && Math.abs(jump) === 1) {
    stage.look(moved(picture, view, jump * PAN_SHARE * (view.to - view.from)));
  } else step(stage, readout, jump);
  return true;
}

/** To another point; the view follows it. */
function step(stage: Stage, readout: Readout, jump: number): void {
  const time = readout.step(jump);
  if (time === undefined) return;
  const { from, to } = stage.view;
  const away = time < from ? time - from : time > to ? time - to : 0;
  if (away) stage.look(moved(stage.picture, stage.view, away));
  const { view, plot } = stage;
  stage.point(((time - view.from) / (view.to - view.from)) * plot!.over.clientWidth);
  readout.tell();
}
