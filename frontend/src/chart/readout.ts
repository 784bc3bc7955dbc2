/** What a reader points at, in words: the legend and the line under the chart follow the cursor. */
import { direction } from "../format";
import { t } from "../texts";
import { isUtc, moment, onlyUtc, ownZone, toggleZone } from "../zone";
import { isCandles, nearest } from "./columns";
import { after } from "./lines";
import type { Picture, SlotOutcome, Value } from "./picture";
import type { Stage } from "./plot";
import { slotAt } from "./strip";
import { changeText, exact, volumeText } from "./units";
import { same, whole } from "./view";

export class Readout {
  /** The time whose slot is pointed at in the strip. */
  slot: number | undefined;
  private index = 0;
  /** The time that the keys have led to, in whatever picture. */
  private stood: number | undefined;
  private at: HTMLElement | null;
  private hintText: string;
  private revealed = false;
  /** What the server wrote beside its first paint: in full, where the data beside it is rounded. */
  private written: Map<Element, Node[]> | undefined;

  constructor(readonly stage: Stage) {
    this.at = stage.section.querySelector("[data-at]");
    this.hintText = stage.section.querySelector("[data-hint]")?.textContent ?? "";
  }

  private get times(): ArrayLike<number> {
    return this.stage.plot?.data[0] ?? [];
  }

  /** Another picture, or the same one in other words. */
  renew(another: boolean): void {
    const last = Math.max(this.times.length - 1, 0);
    if (this.revealed && another) this.written = undefined;
    if (!this.revealed) this.reveal();
    this.index = this.stood === undefined ? last : Math.min(after(this.times, this.stood - 1), last);
    this.hint();
    this.stand();
    this.tell();
  }

  /** Move to another point, and return its time. */
  step(jump: number): number | undefined {
    const last = this.times.length - 1;
    this.index = Math.min(Math.max(this.index + jump, 0), last);
    this.stood = this.times[this.index];
    this.stand();
    return this.stood;
  }

  /** The time of the point that the keys stand on, or the middle of what is in sight. */
  timeInSight(): number {
    const { from, to } = this.stage.view;
    const time = this.times[this.index] ?? from;
    const pointed = this.stage.plot?.cursor.idx != null;
    return pointed && time >= from && time <= to ? time : (from + to) / 2;
  }

  tell(): void {
    const { plot, picture } = this.stage;
    if (!plot) return;
    // While another picture comes, the cursor still counts the columns of the one before.
    const index = (plot.cursor.idx ?? 0) < this.times.length ? plot.cursor.idx : undefined;
    const time = index == null ? undefined : this.stage.timeAt(plot.cursor.left ?? 0);
    const gap = time === undefined ? undefined : picture.bands.find(({ start, end }) => start < time && time < end);
    this.values(index ?? undefined, !!gap);
    if (!this.at) return;
    if (this.slot !== undefined) this.at.textContent = this.slotText(this.slot);
    else if (gap) this.at.textContent = `${moment(time!)} · ${t("gap", { reason: gap.reason })}`;
    else this.at.textContent = index == null ? this.span() : this.pointText(index);
  }

  private values(index: number | undefined, gap: boolean): void {
    const { view, picture } = this.stage;
    const atRest = index === undefined && !gap && same(view, whole(picture));
    const places = this.stage.section.querySelectorAll<HTMLElement>("[data-line]");
    for (const place of places) {
      const line = Number(place.dataset["line"]);
      const written = atRest && this.written?.get(place);
      if (written) place.replaceChildren(...written.map((node) => node.cloneNode(true)));
      else place.replaceChildren(...(gap ? ["–"] : this.said(line, index)));
    }
  }

  /** A line's value and change at an index of uPlot's columns; without one, at the end of the view. */
  said(line: number, index?: number): (string | Node)[] {
    const { picture, plot } = this.stage;
    if (isCandles(picture)) return candleText(picture, index ?? this.times.length - 1);
    const { values, drawn, symbol } = picture.lines[line] ?? { values: [], drawn: [], symbol: "" };
    const own = index === undefined ? lastOf(values) : (plot?.cursor.idxs?.[line + 1] ?? nearest(values, index));
    const value = values[own];
    if (value == null) return ["–"];
    const change = picture.scale === "percent" ? drawn[own] : sinceFirst(values, value);
    const text = exact(picture, value, symbol);
    return change == null || !changeText(picture, change) ? [text] : [coloured(picture, change), ` ${text}`];
  }

  /** What is in sight, in words. */
  span(): string {
    const { from, to } = this.stage.view;
    return t("zoomed", { start: moment(from), end: moment(to) });
  }

  private pointText(index: number): string {
    const { picture } = this.stage;
    const time = this.times[index]!;
    if (isCandles(picture)) {
      const { start, end, complete } = picture.candles![index]!;
      const span = t("zoomed", { start: moment(start), end: moment(end) });
      return complete ? span : `${span} · ${t("unfinished")}`;
    }
    const parts = [moment(time)];
    const volume = picture.volume?.[index];
    if (volume != null) parts.push(t("volume", { amount: volumeText(picture, volume) }));
    if (picture.lines.some((line) => line.backfilled[index])) parts.push(t("backfilled"));
    const slot = slotAt(picture.outcomes, time, 0);
    if (slot && slot.outcome !== "stored") parts.push(outcomeText(slot));
    return parts.join(" · ");
  }

  private slotText(time: number): string {
    const { from, to } = this.stage.view;
    const reach = (to - from) / (this.stage.plot!.over.clientWidth || 1);
    const slot = slotAt(this.stage.picture.outcomes, time, reach);
    return slot ? `${moment(slot.slot)} · ${outcomeText(slot)}` : moment(time);
  }

  /** Show what only works with scripts: the hint, and the choice of the time zone. */
  private reveal(): void {
    this.revealed = true;
    const { section, signal } = this.stage;
    const places = [...section.querySelectorAll("[data-line]")].filter((place) => place.textContent);
    this.written = new Map(places.map((place) => [place, copied(place)]));
    const button = section.querySelector<HTMLButtonElement>("[data-zone]");
    if (!button || onlyUtc) return;
    button.addEventListener("click", toggleZone, { signal });
    button.hidden = false;
  }

  private hint(): void {
    const { section, picture } = this.stage;
    const button = section.querySelector<HTMLButtonElement>("[data-zone]");
    if (button) button.textContent = isUtc() ? t("local", { zone: ownZone }) : t("utc");
    const hint = section.querySelector<HTMLElement>("[data-hint]");
    if (!hint) return;
    const fingers = matchMedia("(pointer: coarse)").matches;
    const dashed = picture.lines.some((line) => line.backfilled.includes(true)) && !isCandles(picture);
    hint.textContent = [fingers ? t("pinch") : this.hintText, ...(dashed ? [t("dashed")] : [])].join(" ");
    hint.hidden = false;
  }

  /** The chart is a slider for the keyboard: it says its value where the cursor stands. */
  private stand(): void {
    const { box, picture } = this.stage;
    const index = this.index;
    const last = Math.max(this.times.length - 1, 0);
    const names = picture.lines.map((line) => line.name).join(", ");
    const settings = { role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuemax": String(last) };
    for (const [name, value] of Object.entries(settings)) box.setAttribute(name, value);
    box.setAttribute("aria-label", t("chart", { names }));
    box.setAttribute("aria-valuenow", String(index));
    box.setAttribute("aria-valuetext", this.aloud(index));
  }

  private aloud(index: number): string {
    const { picture } = this.stage;
    if (isCandles(picture)) return `${this.pointText(index)}: ${candleText(picture, index).join("")}`;
    const said = picture.lines.map(({ name, values, symbol }) => {
      const value = values[index];
      return `${name} ${value == null ? "–" : exact(picture, value, symbol)}`;
    });
    const time = this.times[index];
    return time === undefined ? said.join(", ") : `${moment(time)}: ${said.join(", ")}`;
  }
}

function outcomeText({ outcome, reason }: SlotOutcome): string {
  return reason ? `${t(`outcome.${outcome}`)}: ${reason}` : t(`outcome.${outcome}`);
}

export function candleText(picture: Picture, index: number): string[] {
  const candle = picture.candles?.[index];
  if (!candle) return ["–"];
  const prices = Object.fromEntries(
    (["open", "high", "low", "close"] as const).map((name) => [name, exact(picture, candle[name])]),
  );
  return [t("candle", { ...prices, n: candle.points })];
}

function lastOf(values: readonly Value[]): number {
  for (let index = values.length - 1; index >= 0; index--) if (values[index] != null) return index;
  return -1;
}

function sinceFirst(values: readonly Value[], value: number): number | undefined {
  const base = values.find((one) => one);
  return base ? (value / base - 1) * 100 : undefined;
}

function coloured(picture: Picture, change: number): HTMLElement {
  const part = document.createElement("span");
  part.className = direction(change);
  part.textContent = changeText(picture, change);
  return part;
}

const copied = (place: Element): Node[] => [...place.childNodes].map((node) => node.cloneNode(true));
