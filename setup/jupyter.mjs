// JupyterLab 4, the kernelspec and the settings, all inside the project.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findPython, requireVenv } from "./prerequisites.mjs";
import { at, run, say } from "./project.mjs";

const packages = ["jupyterlab>=4.2,<5", "nbclient>=0.10"];
const venvPython = at(".venv", "bin", "python");

/** The path of a Python with JupyterLab 4 and nbclient; installs them into .venv where there is none. */
export function findJupyter() {
  for (const python of [venvPython, behind("jupyter-lab"), behind("jupyter"), "python3"])
    if (python && hasJupyterLab(python)) return python;
  const python = findPython();
  requireVenv(python);
  say("installing JupyterLab 4 into .venv (one or two minutes)");
  run(python, ["-m", "venv", at(".venv")]);
  run(venvPython, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages], { show: true });
  return venvPython;
}

/** The Python that runs a program of the PATH: `jupyter` may be in its own environment (conda, pipx). */
function behind(program) {
  const file = (process.env.PATH ?? "")
    .split(path.delimiter)
    .map((directory) => path.join(directory, program))
    .find((each) => existsSync(each));
  return file && /^#!\s*(\/\S*python[\d.]*)\s*$/.exec(readFileSync(file, "latin1").split("\n", 1)[0])?.[1];
}

function hasJupyterLab(python) {
  const probe = "import jupyterlab, nbclient, sys; sys.exit(int(jupyterlab.__version__.split('.')[0]) != 4)";
  return spawnSync(python, ["-c", probe], { stdio: "ignore" }).status === 0;
}

/** The environment in which Jupyter writes nothing outside the project. */
export function jupyterEnvironment() {
  const own = (...parts) => at(".jupyter", ...parts);
  return {
    ...process.env,
    JUPYTER_CONFIG_DIR: own("config"),
    JUPYTER_DATA_DIR: own("data"),
    JUPYTER_RUNTIME_DIR: own("runtime"),
    JUPYTER_PATH: own("share", "jupyter"),
    // browser tests choose themes, which must not change the reader's settings
    JUPYTERLAB_SETTINGS_DIR: process.env.JUPYTERLAB_SETTINGS_DIR ?? own("lab", "user-settings"),
    JUPYTERLAB_WORKSPACES_DIR: own("lab", "workspaces"),
    IPYTHONDIR: own("ipython"),
    JUPYTER_PLATFORM_DIRS: "0",
  };
}

function writeJson(file, content) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

/**
 * Registers the Jupyter kernel for this project only, and writes the workbook's default settings. A reader's own settings
 * take precedence.
 */
export function registerKernel() {
  const own = (...parts) => at(".jupyter", ...parts);
  // An interrupt of an endless loop leaves Node's async-hook stack inconsistent. With its checks on, Node would abort.
  const unforced = "--no-force-async-hooks-checks";
  writeJson(own("share", "jupyter", "kernels", "tslab", "kernel.json"), {
    argv: [
      process.execPath,
      ...(process.allowedNodeEnvironmentFlags.has(unforced) ? [unforced] : []),
      at("dist", "kernel", "launch.js"),
      "{connection_file}",
    ],
    display_name: "TypeScript (tslab)",
    language: "typescript",
    interrupt_mode: "signal",
    env: { ONE_LISTENER_PLOTLY_URL: "files/node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js" },
  });
  writeJson(own("config", "labconfig", "default_setting_overrides.json"), {
    // no question at the first start, and no requests to other machines
    "@jupyterlab/apputils-extension:notification": { fetchNews: "false", checkForUpdates: false },
    // plots of cells off the screen are drawn as well
    "@jupyterlab/notebook-extension:tracker": { windowingMode: "none" },
  });
  writeJson(own("config", "jupyter_server_config.json"), {
    ZMQChannelsWebsocketConnection: { iopub_data_rate_limit: 10_000_000 },
    // the search for language servers calls npm, which writes into the home folder; none serves TypeScript notebooks
    LanguageServerManager: { autodetect: false },
    // one Ctrl-C ends it
    JupyterApp: { answer_yes: true },
  });
}
