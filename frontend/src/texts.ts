/** The language of the page: the texts and the number format that the server put into it. */

import { fixed } from "./format";

export interface NumberFormat {
  decimal: string;
  group: string;
  percent: string;
  /** By code, the patterns of the display currencies; `money` is the one of USD. */
  currencies: Record<string, string>;
  money: string;
  powers: Record<string, string>;
  months: string[];
  date: string;
}

export type Text = string | { one: string; other: string };

interface Words {
  format: NumberFormat;
  texts: Record<string, Text>;
}

const words = JSON.parse(document.getElementById("texts")!.textContent!) as Words;

export const form = words.format;
form.money = form.currencies["USD"]!;

/** Add texts that a part of a page brings with it. */
export function learn(texts: Record<string, Text>): void {
  Object.assign(words.texts, texts);
}

/** Return a text with its `{names}` filled in; `n` chooses between one and other. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const entry = words.texts[key] ?? key;
  const text = typeof entry === "string" ? entry : values["n"] === 1 ? entry.one : entry.other;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name] ?? whole;
    return typeof value === "number" ? fixed(value, 0) : value;
  });
}
