/** What instructors give to other systems: Gradescope's autograder zip, and a repository that GitHub makes students' repositories from. */
import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";
import { ArgumentError } from "../errors";
import { writeWholeSync } from "../files/whole";
import { type Exercise, programsOf, sourceOf } from "../exercise/exercise";

const root = path.join(__dirname, "..", "..");
const templates = path.join(root, "setup", "templates");

/** What is packed, and where it goes. */
export interface PackageOptions {
  /** the exercises of the assignment */
  exercises: readonly Exercise[];
  /** path of the zip, or of the folder */
  out: string;
  /** title of the assignment */
  assignment: string;
}

/** What the project needs for grading. Of an exercise only its text, check and programs are packed. Its solution is not, even for the autograder. */
const needed = ["package.json", "package-lock.json", "tsconfig.json", "native", "src", "setup"];
const leftOut = /(^|\/)(build|node_modules|\.build)(\/|$)/;

function template(name: string, { exercises, assignment }: PackageOptions, more: Record<string, string> = {}): string {
  const values: Record<string, string> = {
    EXERCISES: exercises.map(({ name: each }) => each).join(","),
    ASSIGNMENT: assignment.replace(/[^\p{L}\p{N} ._-]/gu, ""),
    ...more,
  };
  return readFileSync(path.join(templates, name), "utf8").replace(
    /EXERCISES|ASSIGNMENT|REPOSITORY/g,
    (word) => values[word] ?? word,
  );
}

/** Files below a place of the project, relative to its root. */
function filesOf(place: string): string[] {
  if (leftOut.test(place)) return [];
  const entries = readdirSync(path.join(root, place), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const file = path.posix.join(place, entry.name);
    return entry.isDirectory() ? filesOf(file) : entry.isFile() && !leftOut.test(file) ? [file] : [];
  });
}

/** Writes the zip that Gradescope's "Configure Autograder" takes. @throws ArgumentError the file exists, or cannot be written */
export async function autograderZip(options: PackageOptions): Promise<void> {
  const { exercises, out } = options;
  if (existsSync(out)) throw new ArgumentError(`${out} exists already.`, "Choose another name.");
  const zip = new ZipFile();
  const executable = { mode: 0o100755 };
  zip.addBuffer(Buffer.from(template("setup.sh", options)), "setup.sh", executable);
  zip.addBuffer(Buffer.from(template("run_autograder", options)), "run_autograder", executable);
  const files = needed.flatMap((place) => (path.extname(place) ? [place] : filesOf(place)));
  files.push(
    "exercises/tsconfig.json",
    ...exercises.flatMap((exercise) =>
      ["exercise.md", "check.ts", ...programsOf(exercise)].map((file) => `exercises/${exercise.name}/${file}`),
    ),
  );
  for (const file of files) zip.addFile(path.join(root, file), `one-listener/${file}`);
  zip.end();
  try {
    await pipeline(zip.outputStream, createWriteStream(out, { flags: "wx" }));
  } catch (error) {
    throw new ArgumentError(`${out} could not be written: ${(error as Error).message}.`);
  }
}

/**
 * Writes a folder for a template repository on GitHub: statements, starters, and a workflow that checks each push.
 * @returns the paths of the files in it
 * @throws ArgumentError the folder is not empty, or `repository` is not owner/name
 */
export function templateRepository(options: PackageOptions & { repository: string }): string[] {
  const { exercises, out, assignment, repository } = options;
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new ArgumentError(
      `"${repository}" is no repository.`,
      "Where your students' checks get One Listener from: --from owner/name.",
    );
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new ArgumentError(`${out} is not empty.`, "Choose another folder.");
  const files: Record<string, string> = {
    ".github/workflows/check.yml": template("check.yml", options, { REPOSITORY: repository }),
    "README.md": `# ${assignment}\n\nWrite each function in its file and push: the result is in the summary of the workflow *check*.\n\n${exercises.map(({ name, title, points, statement }) => `## ${title}\n\n\`${name}.ts\`, ${points} points\n\n${statement}\n`).join("\n")}`,
    ...Object.fromEntries(exercises.map((exercise) => [`${exercise.name}.ts`, sourceOf(exercise, "starter.ts")])),
  };
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(out, file)), { recursive: true });
    writeWholeSync(path.join(out, file), text);
  }
  return Object.keys(files);
}
