/**
 * Reads submissions in a process with bounded time and memory: parsing alone can take time without limit (nested arrow functions), or more
 * memory than there is (a notebook of a hundred million empty cells).
 */
import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import type { Place, Submission } from "./submission";

/** ms for one submission */
const longest = 20_000;
/** MB */
const heap = 1200;

/** @param onRead called after each. Never rejects for what a submission is. */
export async function readSubmissions(
  all: readonly Place[],
  onRead: (done: number) => void = () => undefined,
): Promise<Submission[]> {
  const submissions: Submission[] = [];
  let reader: ChildProcess | undefined;
  for (const place of all) {
    // "advanced": Maps arrive as Maps
    reader ??= fork(path.join(__dirname, "reader.js"), {
      execArgv: [`--max-old-space-size=${heap}`],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    }).on("error", () => undefined);
    const { submission, failure } = await ask(reader, place);
    submissions.push(
      submission ?? { student: place.student, solutions: new Map(), notes: [`it could not be read: ${failure}`] },
    );
    if (!submission) {
      reader.kill("SIGKILL");
      reader = undefined;
    }
    onRead(submissions.length);
  }
  reader?.disconnect();
  return submissions;
}

function ask(reader: ChildProcess, place: Place): Promise<{ submission?: Submission; failure?: string }> {
  return new Promise((resolve) => {
    const finish = (answer: { submission?: Submission; failure?: string }) => {
      clearTimeout(timer);
      reader.off("exit", onExit).off("message", onMessage).off("error", onError);
      resolve(answer);
    };
    const onExit = () => finish({ failure: `to read it takes more than ${heap} MB` });
    const onMessage = (submission: Submission) => finish({ submission });
    const onError = (error: Error) => finish({ failure: error.message });
    const timer = setTimeout(
      () => finish({ failure: `to read it takes longer than ${longest / 1000} s; is something nested very deeply?` }),
      longest,
    );
    reader.once("exit", onExit).once("message", onMessage).once("error", onError);
    reader.send(place);
  });
}
