// npm run docs: the public API as pages, in .artifacts/docs. A warning is an error: a link that leads nowhere, a type
// that the API names but does not export.
import { installDependencies } from "./dependencies.mjs";
import { at, command, run, say, withLock } from "./project.mjs";

command(() => {
  withLock(installDependencies);
  say("reading the sources");
  run(process.execPath, [at("node_modules", "typedoc", "bin", "typedoc"), "--options", at("typedoc.json")], {
    show: true,
  });
  say(`the pages are complete: ${at(".artifacts", "docs", "index.html")}`);
});
