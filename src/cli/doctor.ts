import type { Command } from "commander";
import { doctor, reportText } from "../lab/doctor";

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("try everything that the workbook needs of this machine, and say what forbids what and the line that allows it")
    .option("--json", "the report as JSON")
    .addHelpText("after", "\nOpens and closes a private network stack or two; changes nothing on this machine.\nExit status: 0 if every Lab can be opened, 1 if not.")
    .action(async ({ json }: { json?: boolean }) => {
      const report = await doctor();
      process.stdout.write(`${json ? JSON.stringify(report, null, 2) : reportText(report)}\n`);
      process.exitCode = report.healthy ? 0 : 1;
    });
}
