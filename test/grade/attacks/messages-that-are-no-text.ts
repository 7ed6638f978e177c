/**
 * Attack: names and messages that are objects with a toString of their own
 * Wall: a message is read field by field
 * Told: ^It threw: \{"toString":1,"valueOf":\[\]\}$
 */
export async function queueArithmetic(task: any): Promise<any> {
  require("fs").writeSync(
    3,
    JSON.stringify({ type: "event", id: 0, name: { toString: 1 } }) +
      "\n" +
      JSON.stringify({ type: "threw", id: 0, message: { toString: 1, valueOf: [] } }) +
      "\n",
  );
  await new Promise((r) => setTimeout(r, 200));
  return { maximum: -1, waiting: -1 };
}
