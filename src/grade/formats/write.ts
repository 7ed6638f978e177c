/** Everything that a graded class leaves in its folder. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ArgumentError } from "../../errors";
import type { StudentResult } from "../grade";
import { canvasCsv, gradebookCsv } from "./csv";
import { feedbackHtml } from "./feedback";
import { gradescopeResults } from "./gradescope";
import { junitXml } from "./junit";

export interface WriteOptions {
  out: string;
  /** a file that Canvas has exported */
  canvas?: string;
  assignment: string;
  /** also write this file for Gradescope; there must be one submission then */
  gradescope?: string;
}

/** @returns the files written, by what they are. @throws ArgumentError what cannot be read or written */
export function writeResults(
  results: readonly StudentResult[],
  { out, canvas, assignment, gradescope }: WriteOptions,
): Record<string, string> {
  const students = path.join(out, "students");
  mkdirSync(students, { recursive: true });
  const written: Record<string, string> = {};
  const put = (what: string, file: string, text: string) => {
    writeFileSync(file, text);
    written[what] = file;
  };
  for (const result of results) {
    writeFileSync(path.join(students, `${result.student}.json`), `${JSON.stringify(result, null, 2)}\n`);
    writeFileSync(path.join(students, `${result.student}.html`), feedbackHtml(result, assignment));
  }
  written.feedback = students;
  put("gradebook", path.join(out, "gradebook.csv"), gradebookCsv(results));
  put("junit", path.join(out, "junit.xml"), junitXml(results));
  if (canvas !== undefined) {
    let exported: string;
    try {
      exported = readFileSync(canvas, "utf8");
    } catch (error) {
      throw new ArgumentError(`${canvas} cannot be read: ${(error as Error).message}.`);
    }
    put("canvas", path.join(out, "canvas.csv"), canvasCsv(results, { exported, assignment }));
  }
  if (gradescope !== undefined) {
    if (results.length !== 1)
      throw new ArgumentError(`Gradescope's results are of one submission; here are ${results.length}.`);
    if (!existsSync(path.dirname(path.resolve(gradescope))))
      throw new ArgumentError(`There is no folder ${path.dirname(gradescope)}.`);
    put("gradescope", gradescope, `${JSON.stringify(gradescopeResults(results[0]), null, 2)}\n`);
  }
  return written;
}
