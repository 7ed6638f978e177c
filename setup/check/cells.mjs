// The notebooks' cells: formatted by Prettier at 100 columns, type-checked, and linted with types. And the way from one
// notebook to the next.
//
//   node setup/check/cells.mjs --check | --write
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { ESLint } from "eslint";
import { format } from "prettier";
import ts from "typescript";
import { asCell } from "../exercise-cells.mjs";
import { at, command } from "../project.mjs";
import { readNotebooks, withSources } from "./notebook.mjs";
import { tourFindings } from "./tour.mjs";

/** So that no cell scrolls sideways at 1440 pixels. */
const columns = 100;
const place = (...parts) => at(".build", "cells", ...parts);

/** A cell in its final form. A starter is formatted in exercises/, and stands here as it is there. */
async function formatted({ source, exercise }) {
  if (exercise) return asCell(readFileSync(at("exercises", exercise, "starter.ts"), "utf8"));
  const text = await format(source, {
    parser: "typescript",
    printWidth: columns,
    trailingComma: "all",
    embeddedLanguageFormatting: "off",
  });
  return text.trimEnd();
}

/** Imports are taken out of a cell; its lines stay where they are. */
function withoutImports(source) {
  const parsed = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.ES2022);
  let rest = source;
  const imports = parsed.statements.filter(ts.isImportDeclaration);
  for (const { pos, end } of imports)
    rest = rest.slice(0, pos) + rest.slice(pos, end).replace(/[^\n]/g, " ") + rest.slice(end);
  return { imports, rest, parsed };
}

/** Each name is imported once, however many cells ask for it. */
function importLine(cells) {
  const names = new Map();
  const whole = new Set();
  for (const { imports, parsed } of cells) {
    for (const { importClause, moduleSpecifier } of imports) {
      const module = moduleSpecifier.getText(parsed);
      const named = importClause?.namedBindings;
      if (!named || !ts.isNamedImports(named))
        whole.add(`import ${importClause ? `${importClause.getText(parsed)} from ` : ""}${module};`);
      else for (const each of named.elements) names.set(each.name.text, { module, text: each.getText(parsed) });
    }
  }
  const modules = Map.groupBy?.([...names.values()], ({ module }) => module) ?? grouped([...names.values()]);
  return [
    ...whole,
    ...[...modules].map(([module, all]) => `import { ${all.map(({ text }) => text).join(", ")} } from ${module};`),
  ].join(" ");
}

function grouped(all) {
  const groups = new Map();
  for (const each of all) groups.set(each.module, [...(groups.get(each.module) ?? []), each]);
  return groups;
}

/**
 * A notebook as one module: each cell is a block inside the block of the cell before. So a cell sees the names of all
 * cells above it with their types, may declare a name again as it may in a notebook, and `await` stays on top.
 */
function asModule({ cells }) {
  const parts = cells.map((cell) => ({ cell, ...withoutImports(cell.source) }));
  const lines = [importLine(parts)];
  const origin = [{ cell: cells[0], line: 1 }];
  for (const { cell, rest } of parts) {
    lines.push("{");
    origin.push({ cell, line: 1 });
    rest.split("\n").forEach((line, index) => {
      lines.push(line);
      origin.push({ cell, line: index + 1 });
    });
  }
  lines.push("}".repeat(parts.length), "export {};");
  return { text: `${lines.join("\n")}\n`, origin };
}

/** Writes the modules and tells how to find a line's cell again. */
function writeModules(notebooks) {
  rmSync(place(), { recursive: true, force: true });
  mkdirSync(place(), { recursive: true });
  const origins = new Map();
  for (const notebook of notebooks) {
    const file = place(notebook.name.replace(/\.ipynb$/, ".ts"));
    const { text, origin } = asModule(notebook);
    writeFileSync(file, text);
    origins.set(file, { name: notebook.name, origin });
  }
  // tslab's settings as far as they matter: `await` may stand anywhere, and an index is believed
  const compilerOptions = {
    module: "esnext",
    moduleResolution: "bundler",
    rootDir: ".",
    noEmit: true,
    composite: false,
    declaration: false,
    sourceMap: false,
    tsBuildInfoFile: null,
    noUnusedLocals: false,
    noUnusedParameters: false,
    noUncheckedIndexedAccess: false,
  };
  writeFileSync(
    place("tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["."] }, null, 2),
  );
  return (file, line) => {
    const { name, origin } = origins.get(file);
    const { cell, line: inCell } = origin[line - 1] ?? origin.at(-1);
    return `notebooks/${name} cell ${cell.index}:${inCell}`;
  };
}

async function layout(notebooks) {
  const findings = [];
  for (const { name, cells } of notebooks) {
    for (const cell of cells) {
      const where = `notebooks/${name} cell ${cell.index}`;
      if ((await formatted(cell)) !== cell.source) {
        findings.push(
          cell.exercise ? `${where}: differs from exercises/${cell.exercise}/starter.ts` : `${where}: is not formatted`,
        );
      }
      // strings and comments too: Prettier breaks neither
      cell.source.split("\n").forEach((line, index) => {
        if ([...line].length > columns && !/https?:\/\/\S{40}/.test(line))
          findings.push(`${where}:${index + 1}: ${[...line].length} columns, ${columns} are the most`);
      });
    }
  }
  return findings;
}

function types(locate) {
  const { config } = ts.readConfigFile(place("tsconfig.json"), ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, place());
  return ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options)).map(({ file, start, code, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    return file
      ? `${locate(file.fileName, file.getLineAndCharacterOfPosition(start).line + 1)}: TS${code} ${text}`
      : text;
  });
}

async function lint(locate) {
  const results = await new ESLint({ cwd: at() }).lintFiles([place("*.ts")]);
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ line, message, ruleId }) => `${locate(filePath, line)}: ${message} (${ruleId})`),
  );
}

async function check() {
  const notebooks = readNotebooks();
  const locate = writeModules(notebooks);
  const readme = readFileSync(at("README.md"), "utf8");
  const findings = [
    ...tourFindings(notebooks, readme),
    ...(await layout(notebooks)),
    ...types(locate),
    ...(await lint(locate)),
  ];
  for (const finding of findings) process.stdout.write(`${finding}\n`);
  return findings.length > 0 ? 1 : 0;
}

async function write() {
  for (const notebook of readNotebooks()) {
    const changed = new Map();
    for (const cell of notebook.cells) {
      const text = await formatted(cell);
      if (text !== cell.source) changed.set(cell.index, text);
    }
    if (changed.size > 0) writeFileSync(notebook.file, withSources(notebook, changed));
  }
  return 0;
}

command(() => (process.argv[2] === "--write" ? write() : check()));
