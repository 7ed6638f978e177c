import type { Command } from "commander";
import { messageWithHint } from "../errors";
import { requireSandbox } from "../grade/sandbox";
import { doctor, reportText } from "../lab/doctor";

/** For instructors alone: whether submissions can be graded here. */
function sandboxReport(): { works: boolean; found: string } {
  try {
    requireSandbox();
    return { works: true, found: "bubblewrap works" };
  } catch (error) {
    return { works: false, found: messageWithHint(error) };
  }
}

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "try everything that the workbook needs of this machine, and say what forbids what and the line that allows it",
    )
    .option("--json", "the report as JSON")
    .addHelpText(
      "after",
      "\nOpens and closes a private network stack or two; changes nothing on this machine.\nExit status: 0 if every Lab can be opened, 1 if not.",
    )
    .action(async ({ json }: { json?: boolean }) => {
      const report = await doctor();
      const grading = sandboxReport();
      process.stdout.write(
        `${json ? JSON.stringify({ ...report, grading }, null, 2) : `${reportText(report)}\n${grading.works ? "✓" : "–"} grading submissions in a sandbox: ${grading.found}`}\n`,
      );
      process.exitCode = report.healthy ? 0 : 1;
    });
}
