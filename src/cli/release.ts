import type { Command } from "commander";
import { allExercises, loadExercise } from "../exercise/exercise";
import { releaseAssignment } from "../grade/nbgrader/course";

const help = `
Writes source/NAME/NAME.ipynb (with the solutions), release/NAME/NAME.ipynb (for students), nbgrader_config.py and
one_listener_nbgrader.py. With this config nbgrader runs no student code. It asks the grader of One Listener, which runs
student code in a sandbox.

Examples:
  npx one-listener exercise release fast-accept slow-handler --assignment week3 --out ~/course
  cd ~/course && nbgrader generate_assignment week3
  nbgrader autograde week3              (the submissions are in submitted/STUDENT/week3)
  nbgrader generate_feedback week3 && nbgrader export`;

/** Adds `exercise release`: an nbgrader assignment made of exercises. */
export function addRelease(exerciseCommand: Command): void {
  exerciseCommand
    .command("release")
    .argument("[names...]", "exercises; default: all")
    .requiredOption("--assignment <name>", "its name in nbgrader: week3")
    .requiredOption("--out <course>", "folder of the nbgrader course; made if it does not exist")
    .description("make an nbgrader assignment of exercises")
    .addHelpText("after", help)
    .action((names: string[], { assignment, out }: { assignment: string; out: string }) => {
      const exercises = names.length > 0 ? names.map(loadExercise) : allExercises();
      const files = releaseAssignment(assignment, exercises, out);
      const points = exercises.reduce((sum, each) => sum + each.points, 0);
      process.stdout.write(
        `${assignment}: ${exercises.length} exercise${exercises.length === 1 ? "" : "s"}, ${points} points\n` +
          `for you: ${files.source}\nfor students: ${files.release}\nnbgrader's config: ${files.config}\n\nNext: cd ${out} && nbgrader generate_assignment ${assignment}\n`,
      );
    });
}
