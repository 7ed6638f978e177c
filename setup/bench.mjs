/** `npm run bench [-- names]`: builds, then measures side by side with others (bench/). stdout holds the results only. */
import { createRequire } from "node:module";
import { build } from "./build.mjs";
import { command, inProject } from "./project.mjs";

await command(async () => {
  await build({ tests: true });
  createRequire(import.meta.url)(inProject(".build", "bench", "main.js"));
});
