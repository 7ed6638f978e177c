// Jobs that run at the same time, a few of them.

/**
 * Does `work` for each item, `lanes` of them at a time, in the order of the items.
 * Returns the results in the order of the items; the first failure ends it.
 */
export async function inLanes(lanes, items, work) {
  const results = [];
  const waiting = items.map((item, index) => ({ item, index }));
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next.index] = await work(next.item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
