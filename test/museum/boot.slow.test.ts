import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Lab, onKernels } from "../../dist";
import { boot, type BootOptions } from "../../dist/museum/boot";
import { get } from "../../dist/museum/get";
import { installed, type Kernel } from "../../dist/museum/kernel";
import { inProject, projectDir } from "../fixtures/project";
import { skip } from "../fixtures/skip";
import { until } from "../fixtures/waiting";

const names = ["6.1", "7"];
let kernels: Kernel[] = [];

/** Processes of this machine that belong to a kernel of the museum. */
function kernelProcesses(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`${inProject(".kernels")}/`);
    } catch {
      return false;
    }
  });
}

/** Runs a command on a kernel, and gives how it ended and what it printed. */
async function runOn(kernel: Kernel, command: string[], options: BootOptions = {}) {
  const parts: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  const end = await boot(kernel, command, { ...options, onOutput: (stream, part) => parts[stream].push(part) });
  return { ...end, stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) };
}

describe("other kernels", function () {
  this.timeout(300_000);

  before(async function () {
    const missing = names.filter((name) => !installed().some(({ version }) => version.startsWith(`${name}.`)));
    if (missing.length > 0) {
      const results = await get(missing).catch((error: unknown) => [{ error: error as Error }]);
      const failed = results.find(({ error }) => error);
      if (failed?.error) skip(this, `no kernel can be fetched: ${failed.error.message}`);
    }
    kernels = installed().filter(({ version }) => names.some((name) => version.startsWith(`${name}.`)));
  });

  afterEach(() => {
    assert.deepEqual(kernelProcesses(), [], "a process of a kernel is left");
  });

  it("run a command with its arguments, output and exit status as they are", async () => {
    for (const kernel of kernels) {
      const script = 'printf "%s|" "$@"; echo "to stderr" >&2; uname -r; exit 7';
      const ended = await runOn(kernel, ["sh", "-c", script, "sh", 'a "b"', "", "ü\n$HOME"]);
      assert.equal(ended.stdout.toString(), `a "b"||ü\n$HOME|${kernel.version}\n`);
      assert.equal(ended.stderr.toString(), "to stderr\n");
      assert.equal(ended.status, 7);
      assert.ok(ended.bootTime > 0 && ended.bootTime < ended.duration);
    }
  });

  it("lose no byte of output, and change none", async () => {
    const bytes = "for (let i = 0; i < 40; i++) process.stdout.write(Buffer.alloc(25_600, Buffer.from(Array.from({ length: 256 }, (_, at) => at))));"; // prettier-ignore
    const ended = await runOn(kernels[0], [process.execPath, "-e", bytes]);
    const expected = Buffer.alloc(40 * 25_600, Buffer.from(Array.from({ length: 256 }, (_, at) => at)));
    assert.ok(ended.stdout.equals(expected), `${ended.stdout.length} bytes of ${expected.length}`);
  });

  it("run it as an ordinary user, or as root, and tell a signal from an exit", async () => {
    const [kernel] = kernels as [Kernel];
    const user = await runOn(kernel, ["sh", "-c", "id -u; ulimit -n; kill -TERM $$"], { descriptors: 512 });
    const uid = process.getuid?.() === 0 ? 1000 : process.getuid?.();
    assert.equal(user.stdout.toString(), `${uid}\n512\n`);
    assert.deepEqual([user.status, user.signal], [null, 15]);
    const root = await runOn(kernel, ["sh", "-c", "id -u; cat /proc/sys/net/core/somaxconn"], { root: true });
    assert.equal(root.stdout.toString(), "0\n4096\n");
  });

  it("have a /tmp of their own, and see folders that are kept", async () => {
    const folder = mkdtempSync("/tmp/one-listener-kept-");
    try {
      // where this process is root, the guest's ordinary user is another
      chmodSync(folder, 0o755);
      writeFileSync(path.join(folder, "a file"), "its content");
      const [kernel] = kernels as [Kernel];
      const script = 'cat "$1/a file"; touch /tmp/of-the-guest && ls /tmp';
      const seen = await runOn(kernel, ["sh", "-c", script, "sh", folder], { directory: folder });
      assert.equal(seen.stdout.toString(), `its content${["of-the-guest", path.basename(folder)].sort().join("\n")}\n`);
      const hidden = await runOn(kernel, ["ls", folder], { directory: projectDir });
      assert.notEqual(hidden.status, 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("give a command its stdin, and bring back what it writes to descriptor 3", async () => {
    const input = Buffer.from("in\0put");
    const [kernel] = kernels as [Kernel];
    const ended = await runOn(kernel, ["sh", "-c", "cat >&3"], { input, result: true });
    assert.deepEqual(ended.result, input);
  });

  it("are ended by their time limit and by an abort, and a kernel that panics says so", async () => {
    const [kernel] = kernels as [Kernel];
    const busy = ["sh", "-c", "while :; do :; done"];
    await assert.rejects(runOn(kernel, busy, { timeout: 6000 }), {
      code: "ERR_TIMEOUT",
      message: `Linux ${kernel.version} ran the command, which did not end within 6.00 s.`,
    });
    await assert.rejects(runOn(kernel, busy, { timeout: 20 }), { code: "ERR_TIMEOUT" });
    const signal = AbortSignal.timeout(1500);
    await assert.rejects(runOn(kernel, busy, { signal }), { code: "ERR_INTERRUPTED" });
    const panic = ["sh", "-c", "echo c > /proc/sysrq-trigger"];
    await assert.rejects(runOn(kernel, panic, { root: true }), {
      code: "ERR_GUEST",
      message: /ended before the command did .*Kernel panic/,
    });
  });

  it("end with the process that started them, even when it is killed", async () => {
    const program = inProject("dist", "cli", "main.js");
    const words = [program, "kernels", "run", "6.1", "--", "sh", "-c", "echo running; while :; do :; done"];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "ignore"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    assert.ok(kernelProcesses().length > 0);
    child.kill("SIGKILL");
    await until(() => kernelProcesses().length === 0, "the end of the kernel", 20_000);
    const left = readdirSync(tmpdir()).filter((name) => name.startsWith(`one-listener-kernel-${child.pid}-`));
    assert.deepEqual(left, []);
  });

  it("decide a function of the reader's, each for itself", async () => {
    const experiment = async (lab: Lab, { version }: { version: string }) => {
      if (version.startsWith("7.")) throw new Error("not on seven");
      const listener = await lab.listen({ port: 8080, backlog: 5 });
      const recording = await lab.record(listener);
      await lab.connect(listener, { clients: 20, kind: "loopback", quiet: 300 });
      return { waiting: listener.acceptQueue, trace: await recording.stop(), version };
    };
    const results = await onKernels([...names, "here"], experiment, { progress: false, atOnce: 2 });
    assert.deepEqual(
      results.map(({ value, error }) => value?.waiting ?? error?.message.split(" (")[0]),
      [6, "Error: not on seven", 6],
    );
    assert.equal(results[0]?.value?.trace.meta.kernel, kernels[0]?.version);
  });
});
