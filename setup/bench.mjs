// npm run bench: builds and runs the measurements; results on stdout, progress on stderr.
import { spawnSync } from "node:child_process";
import { build } from "./build.mjs";
import { at, command, root } from "./project.mjs";

command(() => {
  build({ tests: true });
  return (
    spawnSync(process.execPath, ["--expose-gc", at(".build", "bench", "main.js"), ...process.argv.slice(2)], {
      cwd: root,
      stdio: "inherit",
    }).status ?? 1
  );
});
