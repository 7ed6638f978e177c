// npm test: builds, runs mocha, and ends with a line that counts.
import { spawnSync } from "node:child_process";
import { build } from "./build.mjs";
import { findJupyter, jupyterEnvironment, registerKernel } from "./jupyter.mjs";
import { at, command, root } from "./project.mjs";

command(() => {
  build({ tests: true });
  const python = findJupyter();
  registerKernel();
  const mocha = spawnSync(
    process.execPath,
    ["--expose-gc", at("node_modules", "mocha", "bin", "mocha.js"), ...process.argv.slice(2)],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...jupyterEnvironment(), ONE_LISTENER_PYTHON: python },
    },
  );
  return mocha.status ?? 1;
});
