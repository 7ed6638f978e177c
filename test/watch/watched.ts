/**
 * What the tests of `one-listener watch` share: the command, on this machine or in a Lab, and servers that are told
 * what to do.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Lab } from "one-listener";
import { labOfSuite } from "../fixtures/lab-of-suite";
import type { Ended } from "../fixtures/processes";
import { inProject } from "../fixtures/project";
import { until } from "../fixtures/waiting";

/** The command line program. */
export const main = inProject("dist", "cli", "main.js");
const serverFile = inProject("test", "watch", "servers", "driven_server.py");

/** A running `one-listener watch`. */
export interface Watch {
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** `one-listener watch` on this machine. */
export function watch(...args: string[]): Watch {
  const child = spawn(process.execPath, [main, "watch", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  return { child, ended: once(child, "close").then(([code]) => ({ code, stdout, stderr })) };
}

/** A line that `watch --json` prints: a report, an event or the summary. */
export type Line = any;

/** The lines of `--json`. */
export const linesOf = (stdout: string): Line[] =>
  stdout
    .trim()
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => JSON.parse(text));

/** `one-listener watch` in a Lab, whose only listeners are the test's. */
export class LabWatch {
  /** the lines so far */
  readonly lines: Line[] = [];
  private text = "";

  private constructor(
    stdout: Readable,
    /** how it ended */
    readonly ended: Promise<Ended>,
    private readonly interrupt: () => void,
  ) {
    createInterface(stdout).on("line", (line) => {
      this.text += `${line}\n`;
      if (line.startsWith("{")) this.lines.push(JSON.parse(line));
    });
  }

  /** Starts it; with `--json` among the arguments the lines are parsed. */
  static async start(lab: Lab, ...args: string[]): Promise<LabWatch> {
    const program = await lab.spawn(process.execPath, [main, "watch", ...args]);
    let stderr = "";
    program.stderr.on("data", (data) => (stderr += data));
    const ended = program.exited.then(({ code }) => ({ code, stdout: made.text, stderr }));
    const made: LabWatch = new LabWatch(program.stdout, ended, () => void program.kill("SIGINT"));
    return made;
  }

  /** The reports so far. */
  get reports(): Line[] {
    return this.lines.filter((line) => "acceptQueue" in line);
  }

  /** The events so far, by name. */
  get events(): string[] {
    return this.lines.flatMap((line) => (line.event as string | undefined) ?? []);
  }

  /** Waits for a line. */
  line(what: string, condition: (line: Line) => boolean): Promise<Line> {
    return this.until(what, () => this.lines.find(condition));
  }

  /** Waits for the next report of which this is true. */
  next(what: string, condition: (report: Line) => boolean): Promise<Line> {
    const after = this.lines.length;
    return this.until(what, () => this.lines.slice(after).find((line) => "acceptQueue" in line && condition(line)));
  }

  private until(what: string, find: () => Line): Promise<Line> {
    const lines = () => this.lines.slice(-5).map((line) => JSON.stringify(line));
    return until<Line>(find, () => [`${what} among`, ...lines()].join("\n"), 15_000);
  }

  /** Ctrl-C. */
  async stop(): Promise<Ended> {
    this.interrupt();
    return this.ended;
  }
}

/** A server that opens, changes and closes listeners when it is told: see servers/driven_server.py. */
export class DrivenServer {
  private readonly answers: AsyncIterator<string>;

  private constructor(
    private readonly stdin: Writable,
    stdout: Readable,
    private readonly end: () => unknown,
  ) {
    this.answers = createInterface(stdout)[Symbol.asyncIterator]();
  }

  /** On this machine. */
  static here(): DrivenServer {
    const child = spawn("python3", [serverFile], { stdio: ["pipe", "pipe", "inherit"] });
    return new DrivenServer(child.stdin, child.stdout, () => child.kill("SIGKILL"));
  }

  /** In a Lab. */
  static async inLab(lab: Lab): Promise<DrivenServer> {
    const program = await lab.spawn("python3", [serverFile]);
    program.stderr.pipe(process.stderr);
    return new DrivenServer(program.stdin, program.stdout, () => program.kill("SIGKILL"));
  }

  /** Gives one command. @returns its answer */
  async tell(...command: (string | number)[]): Promise<string> {
    this.stdin.write(`${command.join(" ")}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`the server ended at "${command.join(" ")}"`);
    return value;
  }

  /** Ends it; its listeners are closed. */
  kill(): void {
    this.end();
  }
}

/**
 * One Lab for the suite in which this is called, and a new server for each of its tests; both are given out.
 * @returns starts `watch --json` in that Lab; it ends with the test
 */
export function watchesOfSuite(
  useLab: (lab: Lab) => void,
  useServer: (server: DrivenServer) => void,
): (...args: string[]) => Promise<LabWatch> {
  let lab: Lab;
  let server: DrivenServer;
  const watches: LabWatch[] = [];
  labOfSuite((opened) => useLab((lab = opened)), { wire: false });
  beforeEach(async () => {
    server = await DrivenServer.inLab(lab);
    useServer(server);
  });
  afterEach(async () => {
    server.kill();
    for (const each of watches.splice(0)) await each.stop();
  });
  return async (...args) => {
    const made = await LabWatch.start(lab, ...args, "--json", "--interval", "0.2", "--for", "40");
    watches.push(made);
    return made;
  };
}
