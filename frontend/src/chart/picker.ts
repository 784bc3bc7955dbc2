/** Choosing what to compare: a search with suggestions, and what is chosen as chips. */
import { data, isPublished } from "../edition";
import type { Asset } from "../data/chunks";
import { readEmbedded } from "../data/embedded";
import { element } from "../element";
import { pageIn } from "../parsed";
import { chartOf, type Chart } from "./controller";
import { address, type State } from "./state";

interface Found extends Asset {
  rank: number | null;
}

interface Market {
  slot: number;
  assets: {
    id: number[];
    name: string[];
    symbol: string[];
    slug: string[];
    rank: (number | null)[];
    first_slot: number[];
  };
}

const SHOWN = 8;
const MOST = 10;
const TYPING_MS = 150;

export function mountPicker(): void {
  const box = document.querySelector<HTMLElement>("[data-picker]");
  if (box) new Picker(box);
}

class Picker {
  private readonly input: HTMLInputElement;
  private readonly list: HTMLElement;
  private readonly said: HTMLElement;
  private readonly chart: Chart | undefined;
  private found: Found[] = [];
  private active = -1;
  private typing = 0;
  private asked = 0;

  constructor(private readonly box: HTMLElement) {
    this.input = box.querySelector("input")!;
    this.list = box.querySelector('[role="listbox"]')!;
    this.said = box.querySelector("[data-picked]")!;
    this.chart = chartOf("compare");
    this.input.addEventListener("input", () => this.soon());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => this.close());
    // The list must not take the focus from the search.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.chart?.onState((state, assets) => this.chips(state, assets));
    // The page is a file: what is chosen stands in its address alone.
    if (isPublished() && this.chart) this.chips(this.chart.state, this.chart.assets);
    document.querySelector(".chosen")?.addEventListener("click", (event) => this.removed(event));
    // Somebody may have begun to type before this script was there.
    if (document.activeElement === this.input && this.input.value) this.soon();
  }

  private soon(): void {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => void this.search(), TYPING_MS);
  }

  private async search(): Promise<void> {
    const [q, asked] = [this.input.value.trim(), ++this.asked];
    if (!q) return this.close();
    try {
      const found = await (isPublished() ? searchFiles(q) : searchServer(q));
      if (asked !== this.asked) return;
      this.found = found.slice(0, SHOWN);
      this.open();
    } catch {
      this.said.textContent = this.box.dataset["failed"]!;
    }
  }

  private open(): void {
    const carried = (symbol: string): number => this.found.filter((one) => one.symbol === symbol).length;
    this.found = this.found.map((asset) => ({ ...asset, shared: carried(asset.symbol) > 1 }));
    this.list.replaceChildren(...this.found.map((asset, index) => this.option(asset, index)));
    this.list.hidden = !this.found.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.said.textContent = this.found.length ? "" : this.box.dataset["none"]!;
    this.point(this.found.length ? 0 : -1);
  }

  private option(asset: Found, index: number): HTMLElement {
    const made = element("li", "", { role: "option", id: `found-${index}`, "aria-selected": "false" });
    const rank = asset.rank === null ? "" : this.box.dataset["rank"]!.replace("{rank}", String(asset.rank));
    made.append(element("span", asset.name), " ", element("small", symbolOf(asset)));
    made.append(" ", element("small", rank, { class: "place" }));
    return made;
  }

  private close(): void {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.point(-1);
  }

  private point(index: number): void {
    this.active = index;
    [...this.list.children].forEach((one, at) => one.setAttribute("aria-selected", String(at === index)));
    if (index < 0) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `found-${index}`);
    this.list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  private key(event: KeyboardEvent): void {
    const { length } = this.found;
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const step = steps[event.key];
    if (step && !this.list.hidden && length) this.point((this.active + step + length) % length);
    else if (event.key === "Enter") void this.pick(this.list.hidden ? undefined : this.found[this.active]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }

  private clicked(event: Event): void {
    const option = (event.target as Element).closest('[role="option"]');
    if (option) void this.pick(this.found[[...this.list.children].indexOf(option)]);
  }

  private async pick(asset: Found | undefined): Promise<void> {
    if (!asset) return;
    this.close();
    this.input.value = "";
    const ids = this.chart?.state.ids ?? [];
    if (ids.includes(asset.id)) return;
    if (ids.length >= MOST) {
      this.said.textContent = this.box.dataset["full"]!;
      return;
    }
    if (!this.chart) return location.assign(`?ids=${asset.id}`);
    this.chart.assets.set(asset.id, isPublished() ? asset : await recorded(asset));
    await this.chart.want({ ids: [...ids, asset.id] }, "push");
  }

  private removed(event: Event): void {
    const id = Number((event.target as Element).closest<HTMLElement>("[data-remove]")?.dataset["remove"]);
    if (!id || !this.chart) return;
    event.preventDefault();
    this.input.focus();
    void this.chart.want({ ids: this.chart.state.ids.filter((one) => one !== id) }, "push");
  }

  private chips(state: State, assets: ReadonlyMap<number, Asset>): void {
    const list = document.querySelector(".chosen");
    const form = document.querySelector<HTMLInputElement>("#ids");
    if (form) form.value = state.ids.join(",");
    const known = state.ids.map((id) => assets.get(id)!);
    list?.replaceChildren(...known.map((asset) => this.chip(asset, state, known)));
  }

  private chip(asset: Asset, state: State, all: Asset[]): HTMLElement {
    const { id, name } = asset;
    const made = element("li");
    const link = element("a", `${name} `, { href: `${this.box.dataset["prefix"] ?? ""}/assets/${id}` });
    link.append(element("small", symbolOf(asset)));
    made.append(link);
    if (all.length > 1) {
      const without = address({ ...state, ids: state.ids.filter((one) => one !== id) }).href;
      const label = this.box.dataset["remove"]!.replace("{name}", () => name);
      const settings = { class: "remove", href: without, "aria-label": label, "data-remove": String(id) };
      made.append(" ", element("a", "×", settings));
    }
    return made;
  }
}

/** Symbols repeat: where others carry the same one, the id stands beside it. */
const symbolOf = ({ symbol, id, shared }: Asset): string => (shared ? `${symbol} · ${id}` : symbol);

async function searchServer(q: string): Promise<Found[]> {
  const answer = await fetch(`/api/v1/assets?limit=${SHOWN}&q=${encodeURIComponent(q)}`);
  if (!answer.ok) throw new Error(`the search answered ${answer.status}`);
  const { assets } = (await answer.json()) as { assets: Found[] };
  return assets;
}

/** Since when an asset is recorded, and until when: it has files of that time alone. */
async function recorded(asset: Found): Promise<Asset> {
  const answer = await fetch(`/api/v1/assets/${asset.id}`);
  const { first_slot, last_slot } = (await answer.json()) as { first_slot: number; last_slot: number };
  return { ...asset, first: first_slot, last: last_slot };
}

async function searchFiles(q: string): Promise<Found[]> {
  const wanted = q.toLowerCase();
  const named = ({ name, symbol, slug }: Found): boolean =>
    [name, symbol, slug].some((word) => word.toLowerCase().includes(wanted));
  return listed((asset) => String(asset.id) === q || named(asset));
}

/** The assets with some ids: those in the newest slot, and those that have a page. The page says which are unknown. */
export async function findAssets(ids: readonly number[]): Promise<Asset[]> {
  const seen = await listed(({ id }) => ids.includes(id));
  const others = ids.filter((id) => !seen.some((asset) => asset.id === id));
  const found = [...seen, ...(await Promise.all(others.map(fromPage)))].filter((asset) => asset !== undefined);
  const unknown = ids.filter((id) => !found.some((asset) => asset.id === id));
  const box = document.querySelector<HTMLElement>("[data-unknown]");
  const said = box?.dataset["unknown"]!.replace("{ids}", unknown.join(", "));
  if (unknown.length) box?.after(element("p", said ?? "", { class: "note" }));
  return found;
}

/** An asset that is no longer listed still has a page, and files of the time when it was. */
async function fromPage(id: number): Promise<Asset | undefined> {
  const answer = await fetch(`/assets/${id}`);
  if (!answer.ok) return undefined;
  const page = await pageIn(answer);
  const data = page.querySelector('#chart script[type="application/json"]')?.textContent;
  return data ? readEmbedded(data).assets[0] : undefined;
}

async function listed(fits: (asset: Found) => boolean): Promise<Found[]> {
  const market = await data<Market>("market.json");
  if (!market) return [];
  const { id, name, symbol, slug, rank, first_slot } = market.assets;
  const all = id.map((one, at) => ({
    id: one,
    name: name[at]!,
    symbol: symbol[at]!,
    slug: slug[at]!,
    rank: rank[at]!,
    first: first_slot[at]!,
    last: market.slot,
  }));
  return all.filter(fits);
}
