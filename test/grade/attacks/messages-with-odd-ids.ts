/**
 * Attack: answers whose id is an object, a list, a text
 * Wall: an id is a whole number
 * Told: nothing
 */
export async function queueArithmetic(task: any): Promise<any> {
  for (const id of ['{"toString":1}', "[[[0]]]", '"0"', "1e999", "-0"])
    require("fs").writeSync(3, `{"type":"answer","id":${id},"value":{"points":6}}\n`);
  return { maximum: { toString: 1, valueOf: 1 }, waiting: { toJSON: 1 } };
  return { maximum: -1, waiting: -1 };
}
