import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import readline from "node:readline";
import type { Context } from "mocha";
import { inProject } from "../fixtures/project";
import { skip } from "../fixtures/skip";

export interface KernelMessage {
  from: "iopub" | "shell" | "control" | "drive";
  /** of the command that it answers */
  id: string;
  type: string;
  content: Record<string, any>;
  /** seconds since the kernel was started */
  at: number;
}

/** What came of one cell. */
export interface Outcome {
  status: string;
  reply: Record<string, any>;
  /** the content of its `error` message */
  error: { ename: string; evalue: string; traceback: string[] } | undefined;
  stdout: string;
  stderr: string;
  displays: Record<string, any>[];
  messages: KernelMessage[];
}

export interface ExecuteOptions {
  cell?: string;
  stopOnError?: boolean;
}

/** A Python with jupyter_client, or the test is skipped. */
export function pythonOf(context: Context): string {
  const python = process.env.ONE_LISTENER_PYTHON ?? inProject(".venv", "bin", "python");
  if (python.includes("/") && !existsSync(python))
    skip(context, "there is no Python with JupyterLab here: npm test installs one");
  return python;
}

/** The command of our kernelspec, as set-up has written it. */
export function kernelCommand(): string[] {
  const file = inProject(".jupyter", "share", "jupyter", "kernels", "tslab", "kernel.json");
  return (JSON.parse(readFileSync(file, "utf8")) as { argv: string[] }).argv;
}

/** A real kernel, started by a real jupyter_client (drive.py), in notebooks/. */
export class DrivenKernel {
  readonly messages: KernelMessage[] = [];
  pid = 0;
  /** from the start of the process until it answered */
  startSeconds = 0;
  private readonly watchers = new Set<() => void>();
  private sent = 0;

  private constructor(readonly driver: ChildProcessWithoutNullStreams) {
    readline.createInterface({ input: driver.stdout }).on("line", (line) => {
      this.messages.push(JSON.parse(line) as KernelMessage);
      for (const watcher of [...this.watchers]) watcher();
    });
  }

  static async start(context: Context, command = kernelCommand()): Promise<DrivenKernel> {
    const driver = spawn(pythonOf(context), [
      inProject("test", "kernel", "drive.py"),
      inProject("notebooks"),
      ...command,
    ]);
    driver.stderr.pipe(process.stderr);
    const kernel = new DrivenKernel(driver);
    const started = (await kernel.wait((message) => message.type === "started")) as unknown as {
      pid: number;
      seconds: number;
    };
    kernel.pid = started.pid;
    kernel.startSeconds = started.seconds;
    return kernel;
  }

  /** The first message (of the past, too) that matches. */
  wait(matches: (message: KernelMessage) => boolean, milliseconds = 30_000): Promise<KernelMessage> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.watchers.delete(look);
        this.driver.off("close", ended);
      };
      const look = () => {
        const found = this.messages.find(matches);
        if (!found) return;
        finish();
        resolve(found);
      };
      const ended = () => {
        finish();
        reject(new Error("the kernel's driver has ended"));
      };
      const timer = setTimeout(() => {
        finish();
        reject(
          new Error(`no such message in ${milliseconds} ms; the last ones: ${JSON.stringify(this.messages.slice(-5))}`),
        );
      }, milliseconds);
      this.watchers.add(look);
      this.driver.once("close", ended);
      look();
    });
  }

  /** Sends a cell; its id. */
  send(code: string, { cell, stopOnError = true }: ExecuteOptions = {}): string {
    const id = `cell-${(this.sent += 1)}`;
    this.tell({ op: "execute", id, code, stop_on_error: stopOnError, ...(cell !== undefined && { cell }) });
    return id;
  }

  /** Waits until a cell has answered and its outputs are complete. */
  async outcome(id: string): Promise<Outcome> {
    const { content: reply } = await this.wait((message) => message.id === id && message.type === "execute_reply");
    await this.wait(
      (message) => message.id === id && message.type === "status" && message.content.execution_state === "idle",
    );
    const messages = this.messages.filter((message) => message.id === id);
    const text = (name: string) =>
      messages
        .filter(({ type, content }) => type === "stream" && content.name === name)
        .map(({ content }) => content.text as string)
        .join("");
    return {
      status: reply.status as string,
      reply,
      error: messages.find(({ type }) => type === "error")?.content as Outcome["error"],
      stdout: text("stdout"),
      stderr: text("stderr"),
      displays: messages
        .filter(({ type }) => type === "display_data" || type === "update_display_data")
        .map(({ content }) => content),
      messages,
    };
  }

  run(code: string, options?: ExecuteOptions): Promise<Outcome> {
    return this.outcome(this.send(code, options));
  }

  /** A cell that must succeed: what it printed, without the newline at its end. */
  async print(code: string, options?: ExecuteOptions): Promise<string> {
    const { status, stdout, error } = await this.run(code, options);
    if (status !== "ok") throw new Error(`the cell failed: ${error?.traceback.join("\n") ?? status}`);
    return stdout.trimEnd();
  }

  /** Waits until the cell says this on stdout. */
  async said(id: string, text: string): Promise<void> {
    await this.wait(
      (message) => message.id === id && message.type === "stream" && (message.content.text as string).includes(text),
    );
  }

  async request(type: string, content: object, channel: "shell" | "control" = "shell"): Promise<KernelMessage> {
    const id = `request-${(this.sent += 1)}`;
    this.tell({ op: "request", id, type, content, channel });
    return this.wait((message) => message.id === id && message.from === channel);
  }

  interrupt(): void {
    this.tell({ op: "interrupt" });
  }

  /** Asks the kernel to end, and waits until its process has. */
  async shutdown(): Promise<void> {
    this.tell({ op: "shutdown" });
    await this.wait(({ type }) => type === "ended", 5000);
  }

  /** Ends driver and kernel, whatever state they are in. */
  async close(): Promise<void> {
    if (this.driver.exitCode !== null || this.driver.signalCode !== null) return;
    const closed = new Promise((resolve) => this.driver.once("close", resolve));
    this.driver.stdin.end();
    const timer = setTimeout(() => this.driver.kill("SIGKILL"), 10_000);
    await closed;
    clearTimeout(timer);
  }

  private tell(command: object): void {
    this.driver.stdin.write(`${JSON.stringify(command)}\n`);
  }
}

/** Without colours. */
export function plain(lines: readonly string[]): string {
  return lines.join("\n").replace(/\x1b\[[\d;]*m/g, "");
}

/** Starts one kernel before the first test of the suite in which this is called, and ends it after the last one. */
export function kernelOfSuite(use: (kernel: DrivenKernel) => void | Promise<void>): void {
  let kernel: DrivenKernel | undefined;
  before(async function () {
    kernel = await DrivenKernel.start(this);
    await use(kernel);
  });
  after(() => kernel?.close());
}
