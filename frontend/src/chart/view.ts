/** The part of a picture that is in sight, and how far it can be zoomed and moved. */
import type { Picture } from "./picture";

export interface View {
  from: number;
  to: number;
}

/** Where so few points are, they say nothing of their distance. */
const FEW_POINTS = 3;
const LEAST_SECONDS = 600;

export const whole = ({ start, end }: Picture): View => ({ from: start, to: Math.max(end, start + 1) });

export function limits(picture: Picture): View {
  const all = whole(picture);
  if (!picture.limits) return all;
  return { from: Math.min(picture.limits[0], all.from), to: Math.max(picture.limits[1], all.to) };
}

/** The narrowest view: about two points, where no further ones can be loaded. */
function least({ times, sampled }: Picture): number {
  if (sampled || times.length < FEW_POINTS) return LEAST_SECONDS;
  return Math.max((2 * (times[times.length - 1]! - times[0]!)) / (times.length - 1), LEAST_SECONDS);
}

/** A view within the limits: as wide as it may be, and moved back to where something is. */
export function within(picture: Picture, { from, to }: View): View {
  const outer = limits(picture);
  const most = outer.to - outer.from;
  const span = Math.min(Math.max(to - from, Math.min(least(picture), most)), most);
  const middle = (from + to) / 2;
  const start = Math.min(Math.max(middle - span / 2, outer.from), outer.to - span);
  return { from: start, to: start + span };
}

/** Grow (over 1) or shrink a view around a time that stays where it is. */
export function zoomed(picture: Picture, view: View, at: number, factor: number): View {
  const inner = within(picture, { from: at - (at - view.from) * factor, to: at + (view.to - at) * factor });
  // At the narrowest and the widest, the time stays where it was, too.
  const share = (at - view.from) / (view.to - view.from);
  const span = inner.to - inner.from;
  return within(picture, { from: at - share * span, to: at + (1 - share) * span });
}

export function moved(picture: Picture, { from, to }: View, seconds: number): View {
  return within(picture, { from: from + seconds, to: to + seconds });
}

export const same = (one: View, other: View): boolean =>
  Math.abs(one.from - other.from) < 0.5 && Math.abs(one.to - other.to) < 0.5;
