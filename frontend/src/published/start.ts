/** What a published page does at its start: files know nothing of what stands behind their address. */
import { fillIn } from "../market";
import { mount } from "../mounts";
import { renew } from "../swap";
import { refresh } from "./fresh";
import { showLog } from "./log";
import { showPast } from "./past";

const OF_MARKET = ["q", "sort", "offset", "limit", "show", "only", "cap", "ids"];

export async function start(): Promise<void> {
  await refresh();
  const url = new URL(location.href);
  const asked = (names: readonly string[]): boolean => names.some((name) => url.searchParams.has(name));
  if (document.querySelector("form.when")) await showPast(url);
  const input = document.querySelector<HTMLInputElement>("#q");
  if (input && url.searchParams.has("q")) input.value = url.searchParams.get("q")!;
  if (document.getElementById("market")) {
    const known = fillIn(url);
    if (known || asked([...OF_MARKET, "at"])) await renew("market", url, known ? "replace" : "none", mount);
  }
  if (document.getElementById("calendar")) await showLog(url);
  if (document.getElementById("figures") && asked(["range"])) await renew("figures", url, "none", mount);
}
