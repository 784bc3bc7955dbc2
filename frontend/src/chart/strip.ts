/** The strip under the plot: every slot's outcome, told by height and fill as well as by colour. */
import type { Frame } from "./frame";
import type { SlotOutcome } from "./picture";

const ABOVE_PX = 4;
const BELOW_PX = 3;
const NARROW_PX = 2;
/** Blocks stand apart where there is room. */
const APART_FROM_PX = 4;
/** The worst of those that share a place wins. */
const BADNESS = { stored: 0, partial: 1, failed: 2, missed: 3 };
const HEIGHT = { stored: 1, partial: 0.65, failed: 0.35, missed: 1 };

interface Block {
  left: number;
  right: number;
  outcome: SlotOutcome["outcome"];
}

export function paintStrip(frame: Frame): void {
  const { ctx, left, top, width, height, strip, ratio } = frame;
  if (!strip || !frame.picture.outcomes.length) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top + height, width, strip);
  ctx.clip();
  for (const block of joined(blocks(frame), ratio)) paint(frame, block);
  ctx.restore();
}

/** Slots as blocks around their time; narrower ones share columns of two pixels. */
function blocks(frame: Frame): Block[] {
  const { outcomes } = frame.picture;
  const [start, end] = frame.times;
  const step = interval(outcomes);
  const narrow = frame.x(start + step) - frame.x(start) < NARROW_PX * frame.ratio;
  const found: Block[] = [];
  for (let index = 0; index < outcomes.length; index++) {
    const { slot, outcome } = outcomes[index]!;
    if (slot + step < start || slot - step > end) continue;
    if (narrow) share(frame, found, slot, outcome);
    else {
      const reach = reachOf(outcomes, index, step);
      found.push({ left: frame.x(slot - reach), right: frame.x(slot + reach), outcome });
    }
  }
  return found;
}

function share(frame: Frame, found: Block[], slot: number, outcome: SlotOutcome["outcome"]): void {
  const wide = NARROW_PX * frame.ratio;
  const left = Math.floor((frame.x(slot) - frame.left) / wide) * wide + frame.left;
  const last = found[found.length - 1];
  if (last?.left !== left) found.push({ left, right: left + wide, outcome });
  else if (BADNESS[outcome] > BADNESS[last.outcome]) last.outcome = outcome;
}

/** How far a slot's block reaches on both sides: half the way to its nearer neighbour. */
function reachOf(outcomes: readonly SlotOutcome[], index: number, step: number): number {
  const { slot } = outcomes[index]!;
  const before = slot - (outcomes[index - 1]?.slot ?? -Infinity);
  const behind = (outcomes[index + 1]?.slot ?? Infinity) - slot;
  return Math.min(before, behind, 2 * step) / 2;
}

/** The usual time between two slots. */
export function interval(outcomes: readonly SlotOutcome[]): number {
  const span = outcomes.length > 1 ? outcomes[outcomes.length - 1]!.slot - outcomes[0]!.slot : 0;
  return span / (outcomes.length - 1) || 3600;
}

/** Columns that touch and tell the same are one block. */
function joined(all: Block[], ratio: number): Block[] {
  const found: Block[] = [];
  for (const block of all) {
    const last = found[found.length - 1];
    const apart = block.right - block.left >= APART_FROM_PX * ratio;
    if (last && !apart && last.outcome === block.outcome && block.left - last.right < ratio) last.right = block.right;
    else found.push({ ...block });
  }
  return found;
}

function paint(frame: Frame, { left, right, outcome }: Block): void {
  const { ctx, ratio, strip } = frame;
  const apart = right - left >= APART_FROM_PX * ratio ? ratio : 0;
  const tall = strip - (ABOVE_PX + BELOW_PX) * ratio;
  const height = Math.round(tall * HEIGHT[outcome]);
  const floor = Math.round(frame.top + frame.height + strip - BELOW_PX * ratio);
  const x = Math.round(left + apart / 2);
  const width = Math.max(Math.round(right - apart / 2) - x, ratio);
  ctx.fillStyle = ctx.strokeStyle = frame.ink(`--${outcome}`);
  if (outcome !== "missed") ctx.fillRect(x, floor - height, width, height);
  else {
    // Hollow: nothing is in it.
    const line = Math.max(Math.round(ratio), 1);
    ctx.lineWidth = line;
    ctx.strokeRect(x + line / 2, floor - height + line / 2, Math.max(width - line, 0), height - line);
  }
}

/** The slot that stands at a time: of those within a pixel's reach the worst, else the nearest. */
export function slotAt(outcomes: readonly SlotOutcome[], time: number, reach: number): SlotOutcome | undefined {
  let found: SlotOutcome | undefined;
  for (const one of outcomes) {
    if (Math.abs(one.slot - time) > Math.max(reach, interval(outcomes))) continue;
    if (!found || better(one, found, time, reach)) found = one;
  }
  return found;
}

function better(one: SlotOutcome, other: SlotOutcome, time: number, reach: number): boolean {
  const [near, far] = [Math.abs(one.slot - time), Math.abs(other.slot - time)];
  if (near > reach || far > reach) return near < far;
  return BADNESS[one.outcome] > BADNESS[other.outcome] || (one.outcome === other.outcome && near < far);
}
