import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";

const root = path.resolve(__dirname, "../../..");

export interface Message {
  from: string;
  id: string;
  type: string;
  content: Record<string, unknown> & { status?: string; ename?: string; evalue?: string; traceback?: string[]; text?: string; name?: string };
}

/** A real kernel, started by our launcher and driven by jupyter_client (drive.py). */
export class DrivenKernel {
  readonly messages: Message[] = [];
  private next = 0;
  private waiting: (() => void)[] = [];

  private constructor(private readonly driver: ChildProcess) {
    readline.createInterface(driver.stdout!).on("line", (line) => {
      this.messages.push(JSON.parse(line) as Message);
      this.waiting.splice(0).forEach((wake) => wake());
    });
  }

  static async start(): Promise<DrivenKernel> {
    const python = process.env.ONE_LISTENER_PYTHON ?? "python3";
    const unforced = process.allowedNodeEnvironmentFlags.has("--no-force-async-hooks-checks") ? ["--no-force-async-hooks-checks"] : [];
    const command = [process.execPath, ...unforced, path.join(root, "dist", "kernel", "launch.js"), "{connection_file}"];
    const driver = spawn(python, [path.join(root, "test", "kernel", "drive.py"), path.join(root, "notebooks"), ...command], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ONE_LISTENER_PLOTLY_URL: "files/plotly.js", JUPYTER_RUNTIME_DIR: mkdtempSync(path.join(os.tmpdir(), "one-listener-kernel-")) },
    });
    const kernel = new DrivenKernel(driver);
    await kernel.until((message) => message.type === "started");
    return kernel;
  }

  send(command: object): void {
    this.driver.stdin!.write(`${JSON.stringify(command)}\n`);
  }

  /** The first message, past or to come, that matches. */
  async until(matches: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(matches);
      if (found) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** Starts a cell; its id. */
  begin(code: string, cell?: string): string {
    const id = `cell-${this.next++}`;
    this.send({ op: "execute", id, code, ...(cell && { cell }) });
    return id;
  }

  /** Runs a cell and waits for its reply and for the kernel to be idle; what it said. */
  async run(code: string, cell?: string): Promise<{ reply: Message["content"]; said: Message[]; stdout: string; stderr: string }> {
    return this.finish(this.begin(code, cell));
  }

  async finish(id: string): Promise<{ reply: Message["content"]; said: Message[]; stdout: string; stderr: string }> {
    const reply = await this.until((message) => message.id === id && message.type === "execute_reply");
    await this.until((message) => message.id === id && message.type === "status" && message.content.execution_state === "idle");
    const said = this.messages.filter((message) => message.id === id && message.from === "iopub");
    const stream = (name: string) => said.filter(({ type, content }) => type === "stream" && content.name === name).map(({ content }) => content.text).join("");
    return { reply: reply.content, said, stdout: stream("stdout"), stderr: stream("stderr") };
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.driver.once("exit", resolve));
    this.driver.stdin!.end();
    await ended;
  }
}
