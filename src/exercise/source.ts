/** Compiles a student's TypeScript to JavaScript. It runs none of it. */
import ts from "typescript";
import { SolutionError } from "./failure";
import type { Fate } from "./result";

/** A solution as JavaScript, or the reason why it does not compile. It is plain data, so that another process can make it. */
export type Program = { javascript: string } | { failure: { fate: Fate; message: string } };

/**
 * Compiles a solution; a fault of the solution becomes `failure`. The time has no limit here: it grows at least with the square of the
 * nesting depth, so the grader calls this in a process that it can end.
 * @param imports import declarations of the notebook's other cells
 */
export function prepare(source: string, imports: readonly string[] = []): Program {
  try {
    return { javascript: compile(source, imports) };
  } catch (error) {
    if (!(error instanceof SolutionError)) throw error;
    return { failure: { fate: error.fate, message: error.message } };
  }
}

/** characters of a solution; all model solutions together have a tenth of this */
const largest = 200_000;

/**
 * Compiles TypeScript to a CommonJS module for ES2022, without checking types.
 * @param imports import declarations of the notebook's other cells; those whose names `source` imports itself are left out
 * @throws SolutionError "syntax": it does not compile (the message names the line), or it has more than 200,000 characters
 */
export function compile(source: string, imports: readonly string[] = []): string {
  if (source.length > largest)
    throw new SolutionError("syntax", `The solution has ${source.length} characters. The limit is ${largest}.`);
  let result: ts.TranspileOutput;
  try {
    result = ts.transpileModule(withImports(source, imports), {
      reportDiagnostics: true,
      fileName: "solution.ts",
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.CommonJS,
        esModuleInterop: true,
        sourceMap: false,
      },
    });
  } catch (error) {
    // some 100,000 nested brackets are too many for the compiler's stack
    throw new SolutionError("syntax", `It cannot be compiled: ${(error as Error).message}`);
  }
  const [first] = (result.diagnostics ?? []).filter(({ category }) => category === ts.DiagnosticCategory.Error);
  if (first) {
    const line =
      first.file && first.start !== undefined
        ? ` (line ${first.file.getLineAndCharacterOfPosition(first.start).line + 1})`
        : "";
    throw new SolutionError(
      "syntax",
      `It does not compile: ${ts.flattenDiagnosticMessageText(first.messageText, " ")}${line}`,
    );
  }
  return result.outputText;
}

/**
 * The solution with the imports of the notebook's other cells, except names that it imports itself. They stand on its first line, so that
 * its lines keep their numbers.
 */
function withImports(source: string, imports: readonly string[]): string {
  const own = new Set(importsOf(source).flatMap(({ names }) => names));
  const added: string[] = [];
  for (const declaration of imports.flatMap((text) => importsOf(text))) {
    if (declaration.names.length === 0 || declaration.names.some((name) => own.has(name))) continue;
    for (const name of declaration.names) own.add(name);
    added.push(declaration.text.replace(/\s+/g, " "));
  }
  return `${added.join(" ")}${added.length > 0 ? " " : ""}${source}`;
}

/** The import declarations of a text, one for each imported name. `names` holds this name. Empty if the text cannot be parsed. */
export function importsOf(source: string): { text: string; names: string[] }[] {
  if (source.length > largest || !/\bimport\b/.test(source)) return [];
  let file: ts.SourceFile;
  try {
    file = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.ES2022, false);
  } catch {
    return [];
  }
  return file.statements.filter(ts.isImportDeclaration).flatMap((declaration) => {
    const from = declaration.moduleSpecifier.getText(file);
    const clause = declaration.importClause;
    const found: { text: string; names: string[] }[] = [];
    if (clause?.name) found.push({ text: `import ${clause.name.text} from ${from};`, names: [clause.name.text] });
    const bindings = clause?.namedBindings;
    if (bindings && ts.isNamespaceImport(bindings))
      found.push({ text: `import * as ${bindings.name.text} from ${from};`, names: [bindings.name.text] });
    if (bindings && ts.isNamedImports(bindings)) {
      for (const element of bindings.elements)
        found.push({ text: `import { ${element.getText(file)} } from ${from};`, names: [element.name.text] });
    }
    return found;
  });
}

/** Whether a text declares a function or variable with this name at its top level; false if it cannot be parsed. */
export function declares(text: string, name: string): boolean {
  if (text.length > largest || !text.includes(name)) return false;
  try {
    const file = ts.createSourceFile("cell.ts", text, ts.ScriptTarget.ES2022, false);
    return file.statements.some(
      (statement) =>
        (ts.isFunctionDeclaration(statement) && statement.name?.text === name) ||
        (ts.isVariableStatement(statement) &&
          statement.declarationList.declarations.some((each) => ts.isIdentifier(each.name) && each.name.text === name)),
    );
  } catch {
    return false;
  }
}
