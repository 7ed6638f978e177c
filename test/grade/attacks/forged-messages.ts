/**
 * Attack: answers and events for other calls, and garbage, on the link to the grader
 * Wall: a message is read field by field and belongs to an open call
 * Told: ^It had not returned after \d+ s\.$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const fs = require("fs");
  for (const id of [0, 1, 2, 3, "__proto__", null])
    for (const text of [
      { type: "answer", id, value: { points: 6, passed: true } },
      { type: "event", id, name: "x" },
      { type: "ready" },
      { type: "missing", message: "?" },
      7,
      null,
      { type: "answer" },
    ])
      fs.writeSync(3, JSON.stringify(text) + "\n");
  fs.writeSync(3, "garbage\n\u0000\n{");
  return { maximum: -1, waiting: -1 };
}
