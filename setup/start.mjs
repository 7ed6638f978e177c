// npm start: from a fresh clone to JupyterLab with the workbook.
import { spawn } from "node:child_process";
import net from "node:net";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { findJupyter, jupyterEnvironment, registerKernel } from "./jupyter.mjs";
import { command, Missing, root, say } from "./project.mjs";

const help = `npm start [-- options]

  --no-browser   do not open a browser, only print the address
  --port N       the port of the Jupyter server (default 8888, or the next free one)
  --ip ADDRESS   the address to listen on (default 127.0.0.1: this machine only)
  --setup-only   install, build and register the Jupyter kernel, but do not start JupyterLab
`;

function portIsFree(port, host) {
  return new Promise((resolve) => {
    const probe = net.createServer().once("error", () => resolve(false));
    probe.listen({ port, host }, () => probe.close(() => resolve(true)));
  });
}

command(async () => {
  const { values } = parseArgs({
    options: {
      "no-browser": { type: "boolean" },
      port: { type: "string" },
      ip: { type: "string", default: "127.0.0.1" },
      "setup-only": { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  if (values.port !== undefined) {
    if (!/^\d+$/.test(values.port) || Number(values.port) < 1 || Number(values.port) > 65535)
      throw new Missing(`--port must be a number from 1 to 65535, not ${values.port}.`, "npm start -- --port 8890");
    if (!(await portIsFree(Number(values.port), values.ip)))
      throw new Missing(`Another program uses port ${values.port}.`, `npm start -- --port ${Number(values.port) + 1}`);
  }
  build();
  const python = findJupyter();
  registerKernel();
  if (values["setup-only"]) return say("the set-up is complete: npm start");
  say("starting JupyterLab (Ctrl-C ends it)");
  const args = [
    "-m",
    "jupyterlab",
    `--ServerApp.root_dir=${root}`,
    "--LabApp.default_url=/lab/tree/notebooks/00-start-here.ipynb",
    `--ServerApp.ip=${values.ip}`,
  ];
  if (values.port !== undefined) args.push(`--ServerApp.port=${values.port}`, "--ServerApp.port_retries=0");
  if (values["no-browser"]) args.push("--no-browser");
  if (process.geteuid() === 0) args.push("--allow-root");
  const jupyter = spawn(python, args, { cwd: root, env: jupyterEnvironment(), stdio: "inherit" });
  // A terminal's Ctrl-C reaches Jupyter too, which would ask for a confirmation.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => jupyter.kill("SIGTERM"));
  return new Promise((resolve) => jupyter.on("exit", (code) => resolve(code ?? 0)));
});
