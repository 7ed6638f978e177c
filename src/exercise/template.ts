/** A new exercise: every file it needs, ready to be filled. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ArgumentError } from "../errors";
import { exercisesFolder, functionNameOf } from "./exercise";

/** @returns the folder. @throws ArgumentError a name that cannot be, or is taken */
export function newExercise(name: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new ArgumentError(
      `"${name}" cannot be the name of an exercise.`,
      "Small letters, digits and hyphens: find-the-backlog.",
    );
  const folder = path.join(exercisesFolder, name);
  if (existsSync(folder)) throw new ArgumentError(`There is an exercise "${name}" already.`, "Choose another name.");
  const fn = functionNameOf(name);
  const signature = `import type { Lab } from "one-listener";\n\nexport async function ${fn}(lab: Lab, { port }: { port: number }): Promise<void>`;
  const files: Record<string, string> = {
    "exercise.md": `# A title\n\nnotebook 03 · 2 points · warm-up\n\nWrite \`${fn}(lab, { port })\`: what it must do, in two or three sentences.\n\n## Hints\n1. A soft one: where to look.\n2. A strong one: what to call.\n`,
    "starter.ts": `${signature} {\n  throw new Error("nothing is written here yet");\n}\n`,
    "solution.ts": `/**\n * Why it works, for whoever has solved it.\n */\n${signature} {\n  await lab.listen({ port });\n}\n`,
    "wrong-another-port.ts": `// a typical misconception, in a sentence\n// fails: listens on the port\n${signature} {\n  await lab.listen({ port: port + 1 });\n}\n`,
    "wrong-nothing.ts": `// another one\n// fails: listens on the port\n${signature} {\n}\n`,
    "check.ts": `import { defineCheck } from "one-listener/exercise";\n\nexport default defineCheck(({ before, it, that, lab: openLab, start }) => {\n  const port = 8080;\n  let listeners = 0;\n\n  before("your function runs in a Lab", async () => {\n    const lab = await openLab({ wire: false });\n    const run = await start(lab, { port });\n    await run.answer;\n    listeners = lab.sockets({ port, states: ["LISTEN"] }).length;\n    await run.stop();\n  });\n\n  it("listens on the port", 2, () => {\n    that(listeners === 1, { did: \`Your function was called with port \${port}\`, expected: "one listener on it", measured: String(listeners), read: "notebook 01" });\n  });\n});\n`,
  };
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text);
  return folder;
}
