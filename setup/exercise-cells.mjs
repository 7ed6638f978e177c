// The exercises of a notebook as cells, made from exercises/NAME/: a statement, the starter, the check. They stand before the
// notebook's closing cell.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { at } from "./project.mjs";

const section = "exercises";
/** how the closing cell of each notebook begins */
const closing = "**Change this and run again:**";
const howItWorks =
  "Write the function, run its cell, then run the check below it. The check runs your function in a separate process and in " +
  "new Labs, so the whole function must be in one cell. Points depend on what the kernel recorded. Each call of " +
  '`hint("…")` shows the next hint.';
const imported = ["check", "hint", "Lab", "optionOf", "sleep"];

/** A starter as a cell: without imports, which stand in a cell of their own, and without exports, which notebooks do not need. */
export function asCell(source) {
  return source
    .replace(/^import [^;]*;\n/gm, "")
    .replace(/^export /gm, "")
    .replace(/^\s+/, "")
    .trimEnd();
}

/** The same object with its keys in order, as nbformat writes them. */
function sorted(value) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

function cell(type, id, text, more = {}) {
  const metadata = sorted({ ...more, one_listener: { section, ...more.one_listener } });
  const source = text.split("\n").map((line, index, all) => (index < all.length - 1 ? `${line}\n` : line));
  return type === "code"
    ? { cell_type: type, execution_count: null, id, metadata, outputs: [], source }
    : { cell_type: type, id, metadata, source };
}

const nbgrader = (name, role, more) => ({
  schema_version: 3,
  grade_id: role === "solution" ? name : `${name}-check`,
  cell_type: "code",
  grade: role === "check",
  solution: role === "solution",
  locked: role === "check",
  task: false,
  ...more,
});

/** The cells of the exercises that belong to notebook NN; none if there are none. */
export function exerciseCells(number) {
  const { allExercises, sourceOf } = createRequire(import.meta.url)(at("dist", "exercise", "exercise.js"));
  const exercises = allExercises().filter(({ notebook }) => notebook === number);
  if (exercises.length === 0) return [];
  const several = exercises.length > 1;
  return [
    cell("markdown", `exercises-${number}`, `## ${several ? "Exercises" : "An exercise"}\n\n${howItWorks}`),
    cell("code", `exercises-${number}-import`, `import { ${imported.join(", ")} } from "one-listener";`),
    ...exercises.flatMap((exercise) => [
      cell(
        "markdown",
        `${exercise.name}-statement`,
        `### ${exercise.title}\n\n*${exercise.points} points, ${["warm-up", "medium", "hard"][exercise.difficulty - 1]}*\n\n${exercise.statement}`,
      ),
      cell("code", exercise.name, asCell(sourceOf(exercise, "starter.ts")), {
        tags: [`exercise:${exercise.name}`],
        nbgrader: nbgrader(exercise.name, "solution"),
        one_listener: { exercise: exercise.name },
      }),
      cell("code", `${exercise.name}-check`, `await check("${exercise.name}", ${exercise.functionName});`, {
        nbgrader: nbgrader(exercise.name, "check", { points: exercise.points }),
      }),
    ]),
  ];
}

/** The notebook with its exercises as they are now. */
export function withExercises(notebook, number) {
  const others = notebook.cells.filter(({ metadata }) => metadata.one_listener?.section !== section);
  const last = others[others.length - 1];
  const place =
    last?.cell_type === "markdown" && [last.source].flat().join("").startsWith(closing)
      ? others.length - 1
      : others.length;
  // a cell that has not changed keeps its outputs
  const known = new Map(notebook.cells.map((each) => [each.id, each]));
  const cells = exerciseCells(number).map((each) => {
    const old = known.get(each.id);
    return old?.outputs && [old.source].flat().join("") === each.source.join("")
      ? { ...each, outputs: old.outputs, execution_count: old.execution_count }
      : each;
  });
  return { ...notebook, cells: [...others.slice(0, place), ...cells, ...others.slice(place)] };
}

/** Writes the exercises into the notebooks given ("05-slow-accept.ipynb"). Outputs stay as they are. */
export function syncExercises(names, asText) {
  for (const name of names) {
    const file = at("notebooks", name);
    const before = readFileSync(file, "utf8");
    const after = asText(withExercises(JSON.parse(before), name.slice(0, 2)));
    if (after !== before) writeFileSync(file, after);
  }
}
