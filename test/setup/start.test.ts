import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { ancestors, openFiles, pids } from "../fixtures/processes";
import { inProject, projectDir } from "../fixtures/project";
import { skip } from "../fixtures/skip";
import { folderOfSuite } from "../fixtures/temporary-folder";
import { until } from "../fixtures/waiting";
import { runSetup } from "./clone";

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** This environment with another home folder, and without settings of Jupyter. */
function environmentWithHome(home: string): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !/^(JUPYTER|IPYTHON)/.test(name));
  return {
    ...Object.fromEntries(others),
    HOME: home,
    // a JupyterLab that was installed with pip --user is found by the real home folder
    PYTHONUSERBASE: process.env.PYTHONUSERBASE ?? path.join(os.homedir(), ".local"),
    PYTHONDONTWRITEBYTECODE: "1",
  };
}

/** The pids of the Jupyter kernels of a server that have opened their five sockets. */
function kernelsOf(server: number): number[] {
  const isKernel = (pid: number) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return (
        command.includes("dist/kernel/") && openFiles(pid).filter((file) => file.startsWith("socket:")).length >= 5
      );
    } catch {
      // it has ended meanwhile
      return false;
    }
  };
  return pids().filter((pid) => ancestors(pid).includes(server) && isKernel(pid));
}

describe("npm start", function () {
  this.timeout(120_000);
  const home = folderOfSuite("home");
  let server: ChildProcess | undefined;
  let serverPid = 0;
  let port = 0;
  let token = "";
  let log = "";

  before(async function () {
    if (!existsSync(process.env.ONE_LISTENER_PYTHON ?? inProject(".venv", "bin", "python")))
      skip(this, "JupyterLab is not here: npm test installs it");
    port = await freePort();
    server = spawn(process.execPath, [inProject("setup", "start.mjs"), "--no-browser", "--port", String(port)], {
      cwd: projectDir,
      env: environmentWithHome(home.place),
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { pid } = server;
    assert.ok(pid !== undefined);
    serverPid = pid;
    for (const stream of [server.stdout!, server.stderr!]) stream.on("data", (chunk) => (log += String(chunk)));
    token = await until(
      () => {
        if (server?.exitCode !== null) throw new Error(`npm start has ended:\n${log}`);
        return /[?&]token=(\w+)/.exec(log)?.[1];
      },
      () => `an address is printed:\n${log}`,
      90_000,
    );
  });
  after(() => {
    if (server && server.exitCode === null && server.signalCode === null) process.kill(-serverPid, "SIGKILL");
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
    await until(() => kernelsOf(serverPid).length === 1, "a kernel listens", 20_000);
    assert.equal(((await ask(`api/kernels/${id}`)) as { id: string }).id, id);
    await ask(`api/kernels/${id}`, { method: "DELETE" });
    await until(() => kernelsOf(serverPid).length === 0, "the kernel ends", 10_000);
  });

  it("says that a port is taken, and another line to try", async () => {
    const { code, stderr } = await runSetup(projectDir, "start.mjs", ["--no-browser", "--port", String(port)]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`Another program uses port ${port}\\.\n\n    npm start -- --port \\d+`));
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
    await until(() => kernelsOf(serverPid).length === 1, "a kernel listens", 20_000);
    const ours = pids().filter((pid) => ancestors(pid).includes(serverPid));
    assert.ok(ours.length >= 2, "Jupyter and a kernel run");
    const ended = new Promise<number | null>((resolve) => server!.once("exit", resolve));
    const began = performance.now();
    // as a terminal does it
    process.kill(-serverPid, "SIGINT");
    await ended;
    assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
    await until(() => !ours.some((pid) => existsSync(`/proc/${pid}`)), "Jupyter and its kernel end");
  });

  it("has written nothing into the reader's home", () => {
    assert.deepEqual(readdirSync(home.place), []);
  });
});
