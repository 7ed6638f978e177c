/** Everything that a graded class leaves in its folder. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ArgumentError } from "../../errors";
import { writeWholeSync } from "../../files/whole";
import type { StudentResult } from "../grade";
import { canvasCsv } from "./canvas";
import { gradebookCsv } from "./csv";
import { feedbackHtml } from "./feedback";
import { gradescopeResults } from "./gradescope";
import { junitXml } from "./junit";

/** What is written, and where. */
export interface WriteOptions {
  /** the folder; it is made if need be */
  out: string;
  /** a file that Canvas has exported */
  canvas?: string;
  /** its title: in feedback pages, and in the column of Canvas */
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
    writeWholeSync(file, text);
    written[what] = file;
  };
  for (const result of results) {
    writeWholeSync(path.join(students, `${result.student}.json`), `${JSON.stringify(result, null, 2)}\n`);
    writeWholeSync(path.join(students, `${result.student}.html`), feedbackHtml(result, assignment));
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
    const [only] = results;
    if (!only || results.length > 1)
      throw new ArgumentError(`Gradescope's results are of one submission; here are ${results.length}.`);
    if (!existsSync(path.dirname(path.resolve(gradescope))))
      throw new ArgumentError(`There is no folder ${path.dirname(gradescope)}.`);
    put("gradescope", gradescope, `${JSON.stringify(gradescopeResults(only), null, 2)}\n`);
  }
  return written;
}
