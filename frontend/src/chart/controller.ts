/** A chart of the page: from a wish to what is shown. The newest wish wins. */
import { currency, onCurrency } from "../currency";
import type { Asset } from "../data/chunks";
import { readEmbedded, type Embedded } from "../data/embedded";
import { fromEmbedded, isMoney, type Shown, type Wish } from "../data/picture";
import { forget, isPublished } from "../edition";
import { onMount, within } from "../mounts";
import { followLanguages } from "../swap";
import { onZone } from "../zone";
import { listen, mark } from "./controls";
import { mountPlot, type Plot } from "./plot";
import { RANGES, address, parse, possible, scaleOf, type State } from "./state";

type History = "push" | "replace" | "none";
type Listener = (state: State, assets: ReadonlyMap<number, Asset>) => void;

const charts = new Set<Chart>();

export class Chart {
  state: State;
  shown?: Shown;
  readonly assets = new Map<number, Asset>();
  private readonly embedded: Embedded;
  private readonly first: string;
  private readonly listeners: Listener[] = [];
  private readonly unzone = onZone(() => void this.tell());
  private plot?: Plot;
  private wishes = 0;
  private currency = currency();
  private old = false;

  constructor(
    readonly section: HTMLElement,
    private readonly box: HTMLElement,
    data: string,
  ) {
    this.embedded = readEmbedded(data);
    for (const asset of this.embedded.assets) this.assets.set(asset.id, asset);
    this.state = this.read();
    const { window: ends, range, field } = this.embedded;
    this.first = key(ends ?? range, field, [...this.assets.keys()]);
    listen(section, () => this.state, (change) => void this.want(change, "push"));
    section.querySelector("[data-again]")?.addEventListener("click", () => {
      forget();
      void this.renew();
    });
    // Whoever points at a chart wants its values in full.
    for (const kind of ["pointerenter", "focusin"]) box.addEventListener(kind, () => void this.sharpen());
    const table = section.querySelector("[data-table]");
    table?.addEventListener("toggle", () => void this.exact().then(() => this.fill()));
    section.addEventListener("click", (event) => void this.download(event));
    void this.begin();
  }

  private async begin(): Promise<void> {
    if (isPublished()) await this.meet();
    if (Chart.drawable(this.embedded)) await this.renew();
    else mark(this.section, this.state);
  }

  private static drawable({ series }: Embedded): boolean {
    return series.some(({ slots }) => slots.length > 0);
  }

  /** Change what is shown: a click can be taken back, a zoom only replaces. */
  async want(change: Partial<State>, history_: History): Promise<void> {
    this.state = possible({ ...this.state, ...change });
    const url = address(this.state);
    if (history_ === "push" && url.href !== location.href) history.pushState(null, "", url);
    if (history_ === "replace") history.replaceState(null, "", url);
    followLanguages();
    await this.renew();
  }

  /** A file does not know which assets its address asks for. */
  private async meet(): Promise<void> {
    const asked = parse(new URL(location.href), []).ids.filter((id) => !this.assets.has(id));
    if (!asked.length) return;
    this.section.setAttribute("aria-busy", "true");
    const { findAssets } = await import("../lazy/picker");
    for (const asset of await findAssets(asked)) this.assets.set(asset.id, asset);
    this.state = this.read();
  }

  /** Show what the address says: after going back, or in another currency. */
  async follow(): Promise<void> {
    const state = this.read();
    const same = JSON.stringify(state) === JSON.stringify(this.state) && this.currency === currency();
    this.state = state;
    if (!same) await this.renew();
  }

  /** Read anew what is shown: there is more now than stands in the page. */
  async again(): Promise<void> {
    this.old = true;
    await this.renew();
  }

  onState(listener: Listener): void {
    this.listeners.push(listener);
  }

  redraw(): void {
    this.plot?.redraw();
  }

  destroy(): void {
    this.wishes++;
    this.unzone();
    this.plot?.destroy();
  }

  /** What is shown, with every value in full: for the table and for files. */
  async exact(): Promise<Shown | undefined> {
    if (!this.shown?.exact) await this.renew(true);
    return this.shown?.exact ? this.shown : undefined;
  }

  private async download({ target }: Event): Promise<void> {
    const kind = (target as HTMLElement).dataset["download"];
    const shown = kind && (await this.exact());
    if (!shown || !this.plot) return;
    const { download } = await import("../lazy/files");
    await download(kind, shown, this.plot, this.section);
  }

  get fieldName(): string {
    return this.section.querySelector(`[data-field="${this.state.field}"]`)?.textContent ?? "";
  }

  private read(): State {
    const ids = this.embedded.assets.map((asset) => asset.id);
    const state = parse(new URL(location.href), ids);
    return possible({ ...state, ids: state.ids.filter((id) => this.assets.has(id)) });
  }

  /** Values in full in the place of rounded ones; if they cannot be had, those stay. */
  private async sharpen(): Promise<void> {
    if (!this.shown || this.shown.exact) return;
    const wish = ++this.wishes;
    const shown = await this.load().catch(() => undefined);
    if (!shown || wish !== this.wishes) return;
    // From here on the page's own data is the lesser one.
    this.old = true;
    this.show(shown);
  }

  private async renew(full = false): Promise<void> {
    const wish = ++this.wishes;
    mark(this.section, this.state);
    for (const listener of this.listeners) listener(this.state, this.assets);
    const own = full ? undefined : this.atHand();
    if (own) {
      this.show(own, !this.shown);
      this.settled(false);
      return;
    }
    this.section.setAttribute("aria-busy", "true");
    try {
      const shown = await this.load();
      if (wish === this.wishes) this.show(shown);
    } catch (error) {
      if (wish === this.wishes) this.settled(true);
      console.warn(error);
    }
    if (wish === this.wishes && this.section.hasAttribute("aria-busy")) this.settled(false);
  }

  /** The wish is done with: what is shown is what was asked for, or a note says that it is not. */
  private settled(failed: boolean): void {
    this.section.removeAttribute("aria-busy");
    const note = this.section.querySelector<HTMLElement>("[data-failed]");
    if (note) note.hidden = !failed;
  }

  /** The page's own data, where it is what is asked for. */
  private atHand(): Shown | undefined {
    const usual = !isMoney(this.state.field) || currency() === "USD";
    if (this.old || !usual || this.state.form === "candles" || key(this.state.window ?? this.state.range, this.state.field, this.state.ids) !== this.first) return undefined;
    const { start, end } = this.embedded;
    return fromEmbedded(this.embedded, this.wish(start, end));
  }

  private async load(): Promise<Shown> {
    const { load, currentSlot, latest } = await import("../lazy/load");
    const now = currentSlot(await latest());
    const span = RANGES[this.state.range];
    const [start, end] = this.state.window ?? [span == null ? 0 : now - span, now];
    return load(this.wish(start, Math.min(end, now)), this.embedded.mark);
  }

  private wish(start: number, end: number): Wish {
    const { field, form, ids } = this.state;
    const assets = ids.flatMap((id) => this.assets.get(id) ?? []);
    this.currency = currency();
    return { assets, start, end, field, form, scale: scaleOf(this.state), currency: this.currency };
  }

  /** `same`: the server has written the words for this very data. */
  private show(shown: Shown, same = false): void {
    const { section, box } = this;
    this.shown = shown;
    // What the server wrote of other values must not stand beside these.
    if (!this.plot && !same) for (const place of section.querySelectorAll("[data-line]")) place.textContent = "";
    this.plot ??= mountPlot(section, box, {
      zoomed: (from, to) => void this.want({ window: [from, to] }, "replace"),
      reset: () => void this.want({ window: undefined }, "replace"),
    });
    this.plot.show(shown.picture);
    if (!same) void this.tell();
  }

  /** The words around the drawing: anew with other data, and in another zone of time. */
  private async tell(): Promise<void> {
    const { tellAround } = await import("../lazy/around");
    if (!this.shown) return;
    // A legend that is made anew is filled by the drawing.
    if (tellAround(this.section, this.fieldName, this.shown)) this.plot?.redraw();
    await this.fill();
  }

  /** The table is made when it is looked at. */
  private async fill(): Promise<void> {
    const box = this.section.querySelector<HTMLDetailsElement>("[data-table]");
    if (!box?.open || !this.shown?.exact) return;
    const { fillTable } = await import("../lazy/files");
    fillTable(this.section, this.fieldName, this.shown);
  }
}

/** What decides whether the page's own data is what is asked for. */
const key = (...asked: [string | [number, number], string, number[]]): string => JSON.stringify(asked);

function redraw(): void {
  for (const chart of charts) chart.redraw();
}

onMount((part) => {
  for (const chart of charts) {
    if (chart.section.isConnected) continue;
    chart.destroy();
    charts.delete(chart);
  }
  for (const section of within<HTMLElement>(part, ".chart")) {
    const box = section.querySelector<HTMLElement>("[data-chart]");
    const data = section.querySelector('script[type="application/json"]')?.textContent;
    if (box && data) charts.add(new Chart(section, box, data));
  }
});

const followAll = (): void => charts.forEach((chart) => void chart.follow());
addEventListener("popstate", followAll);
onCurrency(followAll);
// A slot has been stored since the page was made.
document.addEventListener("coinlog:slot", () => charts.forEach((chart) => void chart.again()));

export { redraw as redrawCharts };

/** The chart of a kind of page. */
export const chartOf = (kind: string): Chart | undefined =>
  [...charts].find(({ section }) => section.dataset["kind"] === kind);
