/** Pictures of the files of `/data/`: what the page itself does not hold. */
import type { Candle, Picture } from "../chart/picture";
import { t } from "../texts";
import { candlesOf, candlesOfDays, widthFor } from "./candles";
import { isFine, latest, readTotals, readWhole, type Asset, type Latest } from "./chunks";
import type { Column, Series } from "./decode";
import { dominance } from "./dominance";
import { readOutcomes } from "./log";
import { addVolume, isMoney, picture, type Made, type Shown, type Wish } from "./picture";
import { RATE_IDS, bySlot, measure, type Measured } from "./rates";
import { cut } from "./stitch";

const HOUR = 3600;
const DAY = 86_400;
const USUAL_INTERVAL = 6 * HOUR;

/** A window's end where a range ends now: at the current slot, the same for all who ask in it. */
export const currentSlot = ({ slot, next_slot, interval }: Latest): number =>
  Math.max(slot ?? 0, next_slot && interval ? next_slot - interval : 0);

/** Read what a wish needs and make its picture. */
export async function load(asked: Wish, mark: string): Promise<Shown> {
  const now = await latest();
  const plan = planned(asked, now);
  const { wish, reach, fine } = plan;
  const [wholes, rates, totals, outcomes] = await Promise.all([
    Promise.all(wish.assets.map((asset) => readWhole(asset, [reach, wish.end], fine, now))),
    rateOf(wish, reach, now),
    wish.field === "dominance" ? readTotals("total_market_cap", firstOf(wish), wish.end) : undefined,
    readOutcomes(Math.max(wish.start, now.first_slot ?? 0), Math.min(wish.end, currentSlot(now))),
  ]);
  const cuts = wholes.map((whole) => cut(whole, wish.start, wish.end));
  const measured = cuts.map((series) => {
    if (totals) return dominance(series, totals.slots, totals.values);
    return converted(series, wish.field, rates);
  });
  const lines = cuts.map((series, index) => ({ asset: wish.assets[index]!, series, column: measured[index]!.column }));
  const first = recordedFrom(wish, now);
  const further: Partial<Picture> = { mark, outcomes, limits: [first, currentSlot(now)] };
  // There is no chart of what was before anything was recorded.
  further.start = Math.max(wish.start, first);
  if (wish.form === "candles") {
    further.candles = candles(plan, wholes[0]!, rates, now);
    // The newest candle is shown as long as it is.
    const newest = further.candles[further.candles.length - 1];
    if (newest && wish.end >= currentSlot(now)) further.end = Math.max(wish.end, newest.end);
  }
  const [shown, slots] = picture(wish, lines, further);
  addVolume(shown, lines, slots, rates && cuts[0] && converted(cuts[0], "volume_24h", rates).column);
  return { picture: shown, assets: wish.assets, slots, exact: true, notes: notes(plan, measured, lines) };
}

interface Plan {
  wish: Wish;
  /** Where reading begins: a candle may begin before the window. */
  reach: number;
  fine: boolean;
  /** How long candles are. */
  width: number;
  /** A currency that was asked for, and that candles of whole days cannot be shown in. */
  refused: boolean;
}

function planned(wish: Wish, now: Latest): Plan {
  const { start, end, form, currency } = wish;
  const fine = isFine(start, end, now);
  if (form !== "candles") return { wish, reach: start, fine, width: 0, refused: false };
  const width = widthFor(end - Math.max(start, recordedFrom(wish, now)), now.interval ?? USUAL_INTERVAL);
  const refused = !fine && currency !== "USD";
  return {
    wish: refused ? { ...wish, currency: "USD" } : wish,
    reach: start - width,
    fine,
    width: fine ? width : Math.max(width, DAY),
    refused,
  };
}

const firstOf = ({ assets, start }: Wish): number => Math.max(start, Math.min(...assets.map(({ first }) => first)));

const recordedFrom = ({ assets }: Wish, { first_slot }: Latest): number =>
  Math.min(first_slot ?? Infinity, ...assets.map(({ first }) => first));

/** The rates of a currency by slot: every one there is, because each point needs its own. */
async function rateOf(wish: Wish, reach: number, now: Latest): Promise<Map<number, number> | undefined> {
  const id = RATE_IDS[wish.currency];
  if (!id || !isMoney(wish.field)) return undefined;
  const own = wish.assets.find((asset) => asset.id === id);
  const recorded: Asset = own ?? { id, name: "", symbol: "", slug: "", first: now.first_slot ?? 0, last: now.slot ?? 0 };
  const rates = await readWhole(recorded, [Math.max(reach, firstOf(wish) - DAY), wish.end], true, now);
  return bySlot(rates.slots, rates.columns["price"] ?? []);
}

function converted(series: Series, field: string, rates?: Map<number, number>): Measured {
  const column: Column = series.columns[field] ?? series.slots.map(() => null);
  return rates ? measure(series, column, rates) : { column, lacking: 0, known: 0 };
}

function candles(plan: Plan, whole: Series, rates: Map<number, number> | undefined, now: Latest): Candle[] {
  const { wish, width, fine } = plan;
  const until = now.next_slot ?? (now.slot ?? 0) + (now.interval ?? 0);
  const made =
    !fine && whole.days
      ? candlesOfDays(whole.days, width, until)
      : candlesOf(whole.slots, converted(whole, "price", rates).column, width, until);
  return made.filter(({ start, end }) => end > wish.start && start <= wish.end);
}

/** What a reader must know: points without a rate, candles of days, points that were left out. */
function notes(plan: Plan, measured: readonly Measured[], lines: readonly Made[]): string[] {
  const { wish, width, refused } = plan;
  const n = measured.reduce((sum, one) => sum + one.lacking, 0);
  const m = measured.reduce((sum, one) => sum + one.known, 0);
  const said: string[] = [];
  if (n) said.push(t(wish.field === "dominance" ? "chart.no_total" : "chart.no_rate", { currency: wish.currency, n, m }));
  if (width) {
    const [key, length] = width < DAY ? ["chart.candle_hours", HOUR] : ["chart.candle_days", DAY];
    said.push(t(key!, { n: width / (length as number) }));
  }
  if (refused) said.push(t("chart.usd_candles"));
  if (!width && lines.some(({ series }) => series.sampled)) said.push(t("chart.sampled"));
  return said;
}
