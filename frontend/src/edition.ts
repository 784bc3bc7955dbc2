/** Where data comes from: this server, or the files of a published edition beside the page. */

const kept = new Map<string, Promise<unknown>>();
/** The browser's own cache may hold what was forgotten for a while; it is to ask whether it has changed. */
let anew = false;

/** Whether this page is a file of a published edition, with no server behind it. */
export const isPublished = (): boolean => document.documentElement.dataset["edition"] === "published";

/** A file of `/data/`, asked for once. `undefined` where there is none; rejects where it cannot be had. */
export async function data<T>(path: string): Promise<T | undefined> {
  let answer = kept.get(path);
  if (!answer) {
    answer = ask(path);
    kept.set(path, answer);
    answer.catch(() => kept.delete(path));
  }
  return (await answer) as T | undefined;
}

/** Forget one file, or all that may have changed but one: called when a new slot is stored. */
export function forget(path?: string, except?: string): void {
  anew = true;
  for (const one of path === undefined ? [...kept.keys()] : [path]) if (one !== except) kept.delete(one);
}

async function ask(path: string): Promise<unknown> {
  const answer = await fetch(`/data/${path}`, anew ? { cache: "no-cache" } : {});
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`/data/${path} answered ${answer.status}`);
  return answer.json();
}
