import type { Command } from "commander";
import { messageWithHint } from "../errors";
import { requireSandbox } from "../grade/sandbox";
import { doctor, reportText } from "../lab/doctor";

/** Whether submissions can be graded here; only instructors need it. */
function sandboxReport(): { works: boolean; found: string } {
  try {
    requireSandbox();
    return { works: true, found: "bubblewrap works" };
  } catch (error) {
    return { works: false, found: messageWithHint(error) };
  }
}

/** Adds `one-listener doctor` to the program. */
export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "test all that the workbook needs of this machine; name what is forbidden, and the command that allows it",
    )
    .option("--json", "the report as JSON")
    .addHelpText(
      "after",
      "\nIt opens and closes one or two Labs, which are private network stacks. It changes nothing on this machine.\nExit status: 0 if every Lab can be opened, 1 if not.",
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
