import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { skip } from "../skip";
import { projectDir, runSetup } from "./clone";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

describe("npm start", function () {
  this.timeout(120_000);
  const home = mkdtempSync(path.join(os.tmpdir(), "one-listener-home-"));
  // a JupyterLab that the reader has installed with pip --user is found by its real home
  const environment = {
    ...process.env,
    HOME: home,
    PYTHONUSERBASE: process.env.PYTHONUSERBASE ?? path.join(os.homedir(), ".local"),
    PYTHONDONTWRITEBYTECODE: "1",
  };
  for (const name of Object.keys(environment))
    if (/^(JUPYTER|IPYTHON)/.test(name)) delete (environment as NodeJS.ProcessEnv)[name];
  let server: ChildProcess | undefined;
  let port = 0;
  let token = "";
  let log = "";

  before(async function () {
    if (!existsSync(process.env.ONE_LISTENER_PYTHON ?? path.join(projectDir, ".venv", "bin", "python")))
      skip(this, "JupyterLab is not here: npm test installs it");
    port = await freePort();
    server = spawn(
      process.execPath,
      [path.join(projectDir, "setup", "start.mjs"), "--no-browser", "--port", String(port)],
      { cwd: projectDir, env: environment, detached: true, stdio: ["ignore", "pipe", "pipe"] },
    );
    for (const stream of [server.stdout!, server.stderr!]) stream.on("data", (chunk) => (log += String(chunk)));
    for (let waited = 0; token === "" && waited < 90_000; waited += 50) {
      if (server.exitCode !== null) throw new Error(`it has ended:\n${log}`);
      await pause(50);
      token = /[?&]token=(\w+)/.exec(log)?.[1] ?? "";
    }
    assert.notEqual(token, "", `no address was printed:\n${log}`);
  });
  after(async () => {
    if (server && server.exitCode === null && server.signalCode === null) process.kill(-server.pid!, "SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });

  async function ask(what: string, options: RequestInit = {}): Promise<any> {
    const answer = await fetch(`http://127.0.0.1:${port}/${what}`, {
      ...options,
      headers: { Authorization: `token ${token}` },
    });
    assert.ok(answer.ok, `${what}: ${answer.status} ${await answer.clone().text()}`);
    return answer.status === 204 ? undefined : answer.json();
  }

  it("prints the address of the first notebook", () => {
    assert.match(log, new RegExp(`http://\\S+:${port}/lab/tree/notebooks/00-start-here\\.ipynb\\?token=`));
  });

  it("serves the notebooks with our kernel", async () => {
    const { kernelspecs } = await ask("api/kernelspecs");
    const { argv } = kernelspecs.tslab.spec as { argv: string[] };
    assert.equal(argv[0], process.execPath);
    assert.ok(argv.includes(path.join(projectDir, "dist", "kernel", "launch.js")));
    const { content } = await ask("api/contents/notebooks");
    assert.ok((content as { name: string }[]).some(({ name }) => name === "00-start-here.ipynb"));
  });

  it("serves the plotting library where the kernel says it is", async () => {
    const { kernelspecs } = await ask("api/kernelspecs");
    const url = kernelspecs.tslab.spec.env.ONE_LISTENER_PLOTLY_URL as string;
    const answer = await fetch(`http://127.0.0.1:${port}/${url}`, { headers: { Authorization: `token ${token}` } });
    assert.equal(answer.status, 200);
    assert.match((await answer.text()).slice(0, 2000), /plotly/i);
  });

  it("has asked nothing, calls nobody, and keeps plots off the screen alive", async () => {
    const { settings: all } = await ask("lab/api/settings");
    const defaults = (id: string, name: string) =>
      (all as { id: string; schema: { properties: Record<string, { default: unknown }> } }[]).find(
        (each) => each.id === id,
      )!.schema.properties[name].default;
    assert.equal(defaults("@jupyterlab/apputils-extension:notification", "fetchNews"), "false");
    assert.equal(defaults("@jupyterlab/apputils-extension:notification", "checkForUpdates"), false);
    assert.equal(defaults("@jupyterlab/notebook-extension:tracker", "windowingMode"), "none");
  });

  it("starts a kernel, and ends it", async () => {
    const { id } = await ask("api/kernels", { method: "POST", body: JSON.stringify({ name: "tslab" }) });
    await pause(3000);
    assert.equal(((await ask(`api/kernels/${id}`)) as { id: string }).id, id);
    await ask(`api/kernels/${id}`, { method: "DELETE" });
  });

  it("says that a port is taken, and another line to try", async () => {
    const { code, stderr } = await runSetup(projectDir, "start.mjs", ["--no-browser", "--port", String(port)]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`Port ${port} is taken[^]*npm start -- --port \\d+`));
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  for (const wrong of ["0", "65536", "http", "-1", "80.5"]) {
    it(`says that ${wrong} is no port`, async () => {
      const { code, stderr } = await runSetup(projectDir, "start.mjs", [`--port=${wrong}`]);
      assert.equal(code, 1);
      assert.match(stderr, /--port must be a number from 1 to 65535/);
    });
  }

  it("shows its options, and says which one it does not know", async () => {
    const help = await runSetup(projectDir, "start.mjs", ["--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout + help.stderr, /--no-browser[^]*--port/);
    const unknown = await runSetup(projectDir, "start.mjs", ["--prot", "1"]);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /--prot/);
    assert.doesNotMatch(unknown.stderr, /\n\s+at /);
  });

  it("ends at once by Ctrl-C, with its kernels", async () => {
    const { id } = await ask("api/kernels", { method: "POST", body: JSON.stringify({ name: "tslab" }) });
    assert.ok(id);
    await pause(2500);
    const kernels = readdirSync("/proc").filter(
      (pid) => /^\d+$/.test(pid) && parents(Number(pid)).includes(server!.pid!),
    );
    assert.ok(kernels.length >= 2, "Jupyter and a kernel run");
    const ended = new Promise<number | null>((resolve) => server!.once("exit", resolve));
    const began = performance.now();
    // as a terminal does it
    process.kill(-server!.pid!, "SIGINT");
    await ended;
    assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
    for (let waited = 0; waited < 5000 && kernels.some((pid) => existsSync(`/proc/${pid}`)); waited += 50)
      await pause(50);
    assert.deepEqual(
      kernels.filter((pid) => existsSync(`/proc/${pid}`)),
      [],
    );
  });

  it("has written nothing into the reader's home", () => {
    assert.deepEqual(readdirSync(home), []);
  });
});

/** The pids above a process. */
function parents(pid: number): number[] {
  const found: number[] = [];
  for (let at = pid; at > 1 && found.length < 20;) {
    let status: string;
    try {
      status = readFileSync(`/proc/${at}/status`, "utf8");
    } catch {
      break;
    }
    at = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    if (at > 0) found.push(at);
  }
  return found;
}
