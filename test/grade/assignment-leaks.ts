/** What the tests of nbgrader assignments share: their exercises, and what a notebook for students must not hold. */
import { loadExercise, sourceOf } from "../../dist/exercise/exercise";

/** The exercises of the assignments. */
export const names = ["queue-arithmetic", "first-listener"] as const;
/** The text of a file of an exercise. */
export const fileOf = (exercise: string, file: string) => sourceOf(loadExercise(exercise), file);

/** Lines that say something, and that the text given to students does not have. */
function telling(text: string, given: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/^export /, "").trim())
    .filter((line) => line.length > 12 && !given.includes(line));
}

/** Lines of solutions and checks that stand in a notebook for students. */
export function leaks(notebook: string, exercises: readonly string[]): string[] {
  const given = exercises
    .map((name) => fileOf(name, "starter.ts").replace(/^export /gm, "") + loadExercise(name).statement)
    .join("\n");
  return exercises
    .flatMap((name) => ["solution.ts", "check.ts"].flatMap((file) => telling(fileOf(name, file), given)))
    .filter((line) => notebook.includes(JSON.stringify(line).slice(1, -1)));
}
