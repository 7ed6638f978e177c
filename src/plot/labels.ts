/** Where labels go so that none covers another. */

/**
 * Positions as near to `wanted` as they can be with `gap` between neighbours, inside [least, most] where there is room. Keeps the order; of equals the first is lowest.
 */
export function spread(wanted: readonly number[], gap: number, least: number, most: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b] || a - b);
  const placed = order.map((i) => Math.min(Math.max(wanted[i], least), most));
  for (let i = 1; i < placed.length; i++) placed[i] = Math.max(placed[i], placed[i - 1] + gap);
  let ceiling = Math.max(most, least + gap * (placed.length - 1));
  for (let i = placed.length - 1; i >= 0; i--) {
    placed[i] = Math.min(placed[i], ceiling);
    ceiling = placed[i] - gap;
  }
  const result: number[] = [];
  order.forEach((original, i) => (result[original] = placed[i]));
  return result;
}

/** A stretch of a line of labels, px. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

/** Puts each extent, in order, into the lowest of `lanes` where it touches nobody; -1: there is no room for it. */
export function lanesFor(extents: readonly Extent[], lanes: number): number[] {
  const ends: number[] = Array.from({ length: lanes }, () => -Infinity);
  return extents.map(({ from, to }) => {
    const lane = ends.findIndex((end) => end <= from);
    if (lane >= 0) ends[lane] = to;
    return lane;
  });
}
