/** Mouse, wheel and fingers: what is under them, zooming and moving. */
import type { Stage } from "./plot";
import { moved, same, zoomed, type View } from "./view";

const DRAG_FROM_PX = 6;
const WHEEL_PER_PX = 0.002;
const LINE_PX = 16;

export function followPointer(stage: Stage): void {
  const { box, signal } = stage;
  box.addEventListener("wheel", (event) => turn(stage, event), { passive: false, signal });
  box.addEventListener("dblclick", () => stage.reset(), { signal });
  box.addEventListener("pointerdown", (event) => press(stage, event), { signal });
  box.addEventListener("pointermove", (event) => overStrip(stage, event), { signal });
  box.addEventListener("pointerleave", (event) => leave(stage, event), { signal });
  // The middle button moves the plot instead of scrolling the page by itself.
  box.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault(), { signal });
  touch(stage);
}

const placeOf = (stage: Stage, event: MouseEvent): number =>
  event.clientX - stage.plot!.over.getBoundingClientRect().left;

/** The wheel scrolls the page, unless the chart has the focus or a key says that it is meant. */
function turn(stage: Stage, event: WheelEvent): void {
  const meant = event.ctrlKey || event.metaKey || document.activeElement === stage.box;
  if (!meant || !stage.plot) return;
  const unit = event.deltaMode === 1 ? LINE_PX : 1;
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
  const { from, to } = stage.view;
  const seconds = (event.deltaX * unit * (to - from)) / stage.plot.over.clientWidth;
  const factor = Math.exp(event.deltaY * unit * WHEEL_PER_PX);
  const view = sideways
    ? moved(stage.picture, stage.view, seconds)
    : zoomed(stage.picture, stage.view, stage.timeAt(placeOf(stage, event)), factor);
  // Where nothing is left to zoom, the wheel is the page's again; with a key it would zoom the page.
  if (same(view, stage.view) && !event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  stage.look(view);
}

function press(stage: Stage, event: PointerEvent): void {
  if (event.pointerType === "touch" || !stage.plot?.over.contains(event.target as Node)) return;
  const moves = event.button === 1 || (event.button === 0 && event.shiftKey);
  if (moves) drag(stage, event, panning(stage, event));
  else if (event.button === 0) drag(stage, event, selecting(stage, event));
}

interface Drag {
  move(left: number): void;
  end(left: number): void;
}

/** Follow a pressed pointer until it is let go, or the reader thinks better of it. */
function drag(stage: Stage, event: PointerEvent, { move, end }: Drag): void {
  const done = new AbortController();
  const options = { signal: AbortSignal.any ? AbortSignal.any([done.signal, stage.signal]) : done.signal };
  const start = placeOf(stage, event);
  let dragged = false;
  stage.held++;
  const finish = (): void => {
    if (done.signal.aborted) return;
    done.abort();
    stage.held--;
    stage.plot?.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    stage.box.classList.remove("panned");
  };
  addEventListener(
    "pointermove",
    (now) => {
      dragged ||= Math.abs(placeOf(stage, now) - start) >= DRAG_FROM_PX;
      if (dragged) move(placeOf(stage, now));
    },
    options,
  );
  addEventListener(
    "pointerup",
    (now) => {
      finish();
      if (dragged) end(placeOf(stage, now));
    },
    options,
  );
  addEventListener("pointercancel", finish, options);
  const escape = (now: KeyboardEvent): void => {
    if (now.key !== "Escape") return;
    now.stopPropagation();
    finish();
  };
  addEventListener("keydown", escape, { ...options, capture: true });
}

function selecting(stage: Stage, event: PointerEvent): Drag {
  const start = placeOf(stage, event);
  const ends = (left: number): [number, number] => {
    const inside = Math.min(Math.max(left, 0), stage.plot!.over.clientWidth);
    return [Math.min(start, inside), Math.max(start, inside)];
  };
  return {
    move: (left) => {
      const [from, to] = ends(left);
      stage.plot!.setSelect({ left: from, top: 0, width: to - from, height: stage.plot!.over.clientHeight }, false);
    },
    end: (left) => {
      const [from, to] = ends(left);
      const view = { from: stage.timeAt(from), to: stage.timeAt(to) };
      stage.look(zoomed(stage.picture, view, (view.from + view.to) / 2, 1));
    },
  };
}

function panning(stage: Stage, event: PointerEvent): Drag {
  const start = placeOf(stage, event);
  const { view } = stage;
  stage.box.classList.add("panned");
  const move = (left: number): void => {
    const seconds = ((start - left) / stage.plot!.over.clientWidth) * (view.to - view.from);
    stage.look(moved(stage.picture, view, seconds));
  };
  return { move, end: move };
}

/** Over the strip, the slots are told. */
function overStrip(stage: Stage, event: PointerEvent): void {
  if (!stage.plot || event.pointerType === "touch") return;
  const under = event.clientY > stage.plot.over.getBoundingClientRect().bottom;
  const inside = stage.plot.over.contains(event.target as Node);
  stage.readSlot(under && !inside && stage.picture.outcomes.length ? placeOf(stage, event) : undefined);
}

function leave(stage: Stage, event: PointerEvent): void {
  if (event.pointerType === "touch") return;
  stage.readSlot(undefined);
  stage.pointNowhere();
}

/** One finger moves the cursor (up and down still scrolls the page), two zoom and move. */
function touch(stage: Stage): void {
  const { box, signal } = stage;
  const fingers = new Map<number, number>();
  let grip: [number, number] | undefined;
  const put = (event: PointerEvent): void => {
    if (event.pointerType !== "touch" || !stage.plot) return;
    if (event.type === "pointermove" && !fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, placeOf(stage, event));
    const [one, two] = [...fingers.values()];
    if (two === undefined) return stage.point(one!, 0);
    if (event.type === "pointerdown") {
      if (!grip) stage.held++;
      grip = [stage.timeAt(one!), stage.timeAt(two)];
    }
    if (grip && fingers.size === 2) stage.look(gripped(stage, [one!, two], grip));
  };
  const lift = (event: PointerEvent): void => {
    if (!fingers.delete(event.pointerId) || !grip) return;
    grip = undefined;
    stage.held--;
  };
  box.addEventListener("pointerdown", (event) => put(event), { signal });
  box.addEventListener("pointermove", (event) => put(event), { signal });
  for (const name of ["pointerup", "pointercancel"] as const) addEventListener(name, lift, { signal });
}

/** The view in which two times lie under the fingers that hold them. */
function gripped(stage: Stage, [one, two]: [number, number], [first, second]: [number, number]): View {
  const width = stage.plot!.over.clientWidth;
  if (Math.abs(two - one) < DRAG_FROM_PX) return stage.view;
  const span = ((second - first) / (two - one)) * width;
  const from = first - (one / width) * span;
  if (!(span > 0)) return stage.view;
  return zoomed(stage.picture, { from, to: from + span }, (first + second) / 2, 1);
}
