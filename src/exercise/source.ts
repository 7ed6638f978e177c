/** From what a student wrote to JavaScript that can be run. Nothing of it is run here. */
import ts from "typescript";
import { SolutionError } from "./failure";
import type { Fate } from "./result";

/** A solution as JavaScript, or why there is none; plain data, so that another process can make it. */
export type Program = { javascript: string } | { failure: { fate: Fate; message: string } };

/** Never throws for what the text is. It may take for ever: the compiler's time grows with the square and worse of what is nested. */
export function prepare(source: string, imports: readonly string[] = []): Program {
  try {
    return { javascript: compile(source, imports) };
  } catch (error) {
    if (!(error instanceof SolutionError)) throw error;
    return { failure: { fate: error.fate, message: error.message } };
  }
}

/** characters; the solutions of all exercises together have a tenth of it */
const largest = 200_000;

/** @throws SolutionError it does not compile: says where */
export function compile(source: string, imports: readonly string[] = []): string {
  if (source.length > largest)
    throw new SolutionError("syntax", `The solution has ${source.length} characters; ${largest} are the most.`);
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
    // a few hundred thousand nested brackets end the compiler's stack
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

/** Imports of a notebook's other cells, so far as the solution does not import those names itself; on its first line, so that lines keep their numbers. */
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

/** The import declarations of a text, one for each name, and the names they bring. */
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

/** Whether a text declares a function or variable of that name at its top level. */
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
