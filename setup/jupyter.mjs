import fs from "node:fs";
import path from "node:path";
import { findPython } from "./prerequisites.mjs";
import { inProject, step } from "./project.mjs";
import { output, run, which } from "./run.mjs";

/**
 * JupyterLab 4: the reader's own, or one in this folder's .venv; and our kernel in it. Whatever Jupyter writes, it writes
 * into .jupyter: nothing of it lands in the reader's home.
 */

const venv = inProject(".venv");
const folder = (...parts) => inProject(".jupyter", ...parts);

/** A Python that has JupyterLab 4 and nbclient: { python, version }, or undefined. */
export function findJupyter() {
  const candidates = [path.join(venv, "bin", "python"), shebangPython(which("jupyter-lab") ?? which("jupyter")), which("python3"), which("python")];
  for (const python of new Set(candidates.filter((file) => file && fs.existsSync(file)))) {
    const version = output(python, ["-c", "import importlib.metadata as m; m.version('nbclient'); print(m.version('jupyterlab'))"]);
    if (version?.startsWith("4.")) return { python, version };
  }
  return undefined;
}

/** The Python behind the `jupyter` on PATH, which may live in an environment of its own (conda, pipx, …). */
function shebangPython(script) {
  if (!script) return undefined;
  const line = fs.readFileSync(script, "latin1").split("\n", 1)[0];
  const program = /^#!\s*(\S*python[\d.]*)\s*$/.exec(line)?.[1];
  return program && path.isAbsolute(program) ? program : undefined;
}

/** Installs JupyterLab if there is none, and registers our kernel. */
export async function ensureJupyter(found) {
  const jupyter = found ?? (await installJupyter());
  registerKernel();
  writeSettings();
  return jupyter;
}

async function installJupyter() {
  const { program } = findPython();
  const python = path.join(venv, "bin", "python");
  const failure = "JupyterLab could not be installed into .venv.";
  await step("Installing JupyterLab 4 into .venv, once (about 300 MB)", async () => {
    // --clear: a .venv is left here by an interrupted install, or its Python is gone
    await run(program, ["-m", "venv", "--clear", venv], { failure });
    await run(python, ["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "jupyterlab>=4,<5", "nbclient"], {
      failure,
      hint: "Is there a network? A JupyterLab 4 of your own serves as well: have `jupyter` on PATH.",
    });
  });
  const jupyter = findJupyter();
  if (!jupyter) throw new Error(`${python} has no JupyterLab 4 after its installation.`);
  return jupyter;
}

/** The environment for everything that is Jupyter. */
export function jupyterEnvironment() {
  return {
    ...process.env,
    JUPYTER_DATA_DIR: folder("share", "jupyter"),
    JUPYTER_CONFIG_DIR: folder("config"),
    JUPYTER_RUNTIME_DIR: folder("runtime"),
    JUPYTERLAB_SETTINGS_DIR: folder("lab", "user-settings"),
    JUPYTERLAB_WORKSPACES_DIR: folder("lab", "workspaces"),
    IPYTHONDIR: folder("ipython"),
    // keeps jupyter_core from warning about directories that are not used here
    JUPYTER_PLATFORM_DIRS: "1",
  };
}

function registerKernel() {
  const loop = "--no-force-async-hooks-checks";
  const spec = {
    argv: [
      process.execPath,
      // ending an endless loop from outside leaves Node's bookkeeping of callbacks out of step, which it would die of
      ...(process.allowedNodeEnvironmentFlags.has(loop) ? [loop] : []),
      inProject("dist", "kernel", "launch.js"),
      "{connection_file}",
    ],
    display_name: "TypeScript (tslab)",
    language: "typescript",
    interrupt_mode: "signal",
    env: { ONE_LISTENER_PLOTLY_URL: "files/node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js" },
  };
  write(folder("share", "jupyter", "kernels", "tslab", "kernel.json"), spec);
}

/** Defaults of this workbook's JupyterLab; what the reader sets in its menus goes first. */
function writeSettings() {
  write(folder("config", "labconfig", "default_setting_overrides.json"), {
    // no question at the first start, and no calls to other machines
    "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
    // plots above and below the screen stay alive
    "@jupyterlab/notebook-extension:tracker": { windowingMode: "none" },
  });
  write(folder("config", "jupyter_server_config.json"), {
    // live plots may send more than a megabyte a second
    ZMQChannelsWebsocketConnection: { iopub_data_rate_limit: 100_000_000, iopub_msg_rate_limit: 10_000 },
    // Ctrl-C once is enough
    JupyterApp: { answer_yes: true },
  });
}

function write(file, content) {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  if (fs.existsSync(file) && fs.readFileSync(file, "utf8") === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
