#!/usr/bin/env node
/** `npx one-listener …`: the command line of src/cli, built first if need be. */
import { createRequire } from "node:module";
import { build } from "./build.mjs";
import { command, inProject } from "./project.mjs";

await command(async () => {
  await build();
  createRequire(import.meta.url)(inProject("dist", "cli", "main.js"));
});
