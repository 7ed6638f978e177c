/**
 * The command line: npx one-listener <doctor|…>.
 */
import { Command } from "commander";
import { readFileSync } from "node:fs";
import path from "node:path";
import { LabError, messageWithHint } from "../errors";
import { addClaims } from "./claims";
import { addDemo } from "./demo";
import { addDoctor } from "./doctor";
import { addExercise } from "./exercise";
import { addGrade } from "./grade";
import { addKernels } from "./kernels";
import { addRelease } from "./release";
import { addWatch } from "./watch";

const { version, description } = JSON.parse(readFileSync(path.join(__dirname, "..", "..", "package.json"), "utf8")) as {
  version: string;
  description: string;
};

const program = new Command("one-listener")
  .description(`${description}.`)
  .version(version)
  .showHelpAfterError()
  .addHelpText("after", "\nThe workbook itself: npm start");

addDoctor(program);
addClaims(program);
addKernels(program);
addWatch(program);
addGrade(program);
addRelease(addExercise(program));
addDemo(program);

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(error instanceof LabError ? `${messageWithHint(error)}\n` : `${(error as Error).stack}\n`);
  process.exitCode = 1;
});
