/** The favourites: asset ids that this browser alone keeps. */

const KEY = "favourites";
/** As many as an address can carry to the server. */
const MOST = 200;

export function favourites(): number[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => Number.isInteger(id)).slice(0, MOST) : [];
  } catch {
    // Storage can be forbidden, or hold what is not ours.
    return [];
  }
}

/** Make an asset a favourite, or no longer one; return whether it is one now. */
export function turn(id: number): boolean {
  const kept = favourites();
  const others = kept.filter((one) => one !== id);
  const added = others.length === kept.length;
  try {
    localStorage.setItem(KEY, JSON.stringify(added ? [...kept, id] : others));
  } catch {
    // Then it holds until the page is left.
  }
  return added;
}
