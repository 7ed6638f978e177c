#!/usr/bin/env node
// npx one-listener …: builds what has changed, then runs the command.
import { createRequire } from "node:module";
import { build } from "./build.mjs";
import { at, command } from "./project.mjs";

await command(() => build());
if (process.exitCode === 0) createRequire(import.meta.url)(at("dist", "cli", "main.js"));
