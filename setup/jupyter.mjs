// JupyterLab 4, the kernelspec and the settings; all of it inside the project.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { findPython, requireVenv } from "./prerequisites.mjs";
import { at, run, say } from "./project.mjs";

const packages = ["jupyterlab>=4.2,<5", "nbclient>=0.10"];
const venvPython = at(".venv", "bin", "python");

/** A Python that has JupyterLab 4 and nbclient. */
export function findJupyter() {
  for (const python of [venvPython, "python3"]) if (hasJupyterLab(python)) return python;
  const python = findPython();
  requireVenv(python);
  say("JupyterLab 4 is not here: making an environment for it in .venv (a minute or two)");
  run(python, ["-m", "venv", at(".venv")]);
  run(venvPython, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages], { show: true });
  return venvPython;
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
    JUPYTERLAB_SETTINGS_DIR: own("lab", "user-settings"),
    JUPYTERLAB_WORKSPACES_DIR: own("lab", "workspaces"),
    IPYTHONDIR: own("ipython"),
    JUPYTER_PLATFORM_DIRS: "0",
  };
}

function writeJson(file, content) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

/** Registers tslab, started by our launcher, for this project only. */
export function registerKernel() {
  writeJson(at(".jupyter", "share", "jupyter", "kernels", "tslab", "kernel.json"), {
    argv: [process.execPath, at("dist", "kernel", "launch.js"), "{connection_file}"],
    display_name: "TypeScript (tslab)",
    language: "typescript",
    interrupt_mode: "signal",
    env: { ONE_LISTENER_PLOTLY_URL: "files/node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js" },
  });
  // The first start must not ask questions, and pictures of cells off the screen must be drawn as well. Readers may change both.
  const settings = {
    [path.join("@jupyterlab", "apputils-extension", "notification.jupyterlab-settings")]: { fetchNews: "false", checkForUpdates: false },
    [path.join("@jupyterlab", "notebook-extension", "tracker.jupyterlab-settings")]: { windowingMode: "none" },
  };
  for (const [name, content] of Object.entries(settings)) {
    const file = at(".jupyter", "lab", "user-settings", name);
    if (!existsSync(file)) writeJson(file, content);
  }
}
