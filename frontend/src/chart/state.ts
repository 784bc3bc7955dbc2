/** What a chart shows, as it stands in the page's address: links and the history lead to it again. */
import type { Form, Scale } from "./picture";

export const RANGES: Record<string, number | null> = {
  "1d": 86_400,
  "7d": 7 * 86_400,
  "30d": 30 * 86_400,
  "90d": 90 * 86_400,
  "1y": 365 * 86_400,
  all: null,
};
const USUAL = { range: "1y", field: "price", form: "line" };
const FIELDS = ["price", "market_cap", "volume_24h", "circulating_supply", "rank", "dominance"];
const SCALES = ["linear", "log", "percent"];
const FORMS = ["line", "area", "candles"];
const OWN = ["range", "from", "to", "field", "scale", "form"];
const MOST_ASSETS = 10;

export interface State {
  range: string;
  /** A part of the range, in seconds: zoomed to, or sent by someone. */
  window?: [number, number];
  field: string;
  /** The usual scale is not in the address: percent for several assets, linear for one. */
  scale?: Scale;
  form: Form;
  ids: number[];
}

/** The state in an address; what cannot be used falls back, as on the server. */
export function parse(url: URL, ids: readonly number[]): State {
  const get = (name: string): string => url.searchParams.get(name) ?? "";
  const asked = idsOf(get("ids"));
  const state: State = {
    range: get("range") in RANGES ? get("range") : USUAL.range,
    field: oneOf(get("field"), FIELDS, USUAL.field),
    form: oneOf(get("form"), FORMS, USUAL.form) as Form,
    ids: compares(url) && asked.length ? asked : [...ids],
  };
  const [from, to] = [seconds(get("from")), seconds(get("to"))];
  if (from < to) state.window = [from, to];
  if (SCALES.includes(get("scale"))) state.scale = get("scale") as Scale;
  return state;
}

/** A static host may write the addresses of its pages with a slash at their end. */
const compares = ({ pathname }: URL): boolean => /\/compare\/?$/.test(pathname);

const oneOf = (text: string, choices: string[], usual: string): string => (choices.includes(text) ? text : usual);

function idsOf(text: string): number[] {
  const ids = text.split(",").map((part) => part.trim());
  return [...new Set(ids.filter((id) => /^[1-9]\d{0,9}$/.test(id)).map(Number))].slice(0, MOST_ASSETS);
}

/** Seconds, or ISO 8601 in UTC unless it says otherwise. */
function seconds(text: string): number {
  if (/^\d{9,11}$/.test(text)) return Number(text);
  const zoned = /[zZ]$|T.*[+-]\d\d:?\d\d$/.test(text) || !text.includes("T") ? text : `${text}Z`;
  return Math.floor(Date.parse(zoned) / 1000);
}

/** The address of a state: another page's parameters stay, and what is usual is left out. */
export function address(state: State, from: URL | string = location.href): URL {
  const url = new URL(from);
  for (const name of OWN) url.searchParams.delete(name);
  const set = (name: string, value: string | number | undefined, usual?: string): void => {
    if (value !== undefined && value !== usual) url.searchParams.set(name, String(value));
  };
  set("range", state.range, USUAL.range);
  set("from", state.window?.[0]);
  set("to", state.window?.[1]);
  set("field", state.field, USUAL.field);
  set("scale", state.scale);
  set("form", state.form, USUAL.form);
  if (compares(url)) url.searchParams.set("ids", state.ids.join(","));
  url.hash = "";
  // Commas between ids may stand as they are, and read better.
  return new URL(url.href.replace(/%2C/g, ","));
}

/** The scale unless another is chosen: ranks and shares of several assets stand on one scale as they are. */
export const usualScale = (field: string, lines: number): Scale =>
  lines > 1 && field !== "rank" && field !== "dominance" ? "percent" : "linear";

export const scaleOf = (state: State): Scale => state.scale ?? usualScale(state.field, state.ids.length);

/** What cannot be had together: a control that cannot be used says so. */
export function impossible(state: State, control: { scale?: string; form?: string }): boolean {
  const single = state.ids.length === 1;
  if (control.scale === "log") return state.field === "rank";
  if (control.scale === "percent") return state.field === "rank" || state.form === "candles";
  if (control.form === "area") return !single;
  if (control.form === "candles") return !single || state.field !== "price" || scaleOf(state) === "percent";
  return false;
}

/** A state without what cannot be had together: the field and the assets win. */
export function possible(state: State): State {
  const found = { ...state };
  if (found.scale && impossible({ ...found, form: "line" }, { scale: found.scale })) delete found.scale;
  if (impossible({ ...found }, { form: found.form })) found.form = "line";
  return found;
}
