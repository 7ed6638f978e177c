import { compiler, type Node } from "./compiler";

/**
 * Writes `{ rate }` as `{ rate: rate }`. tslab 1.0.22 turns the names that earlier cells have declared into properties of its
 * `exports`, but overlooks shorthand properties, and the cell fails with "rate is not defined". No line changes its number.
 */
export function expandShorthand(source: string): string {
  if (!source.includes("{")) return source;
  const ts = compiler();
  const file = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest, false, ts.ScriptKind.TS);
  const inserts: { at: number; text: string }[] = [];
  const visit = (node: Node): void => {
    // `{ a = 1 } = given` has a default, and no longer form that keeps it here
    if (ts.isShorthandPropertyAssignment(node) && !node.objectAssignmentInitializer)
      inserts.push({ at: node.name.getEnd(), text: `: ${node.name.text}` });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return inserts.reduceRight((text, { at, text: insert }) => text.slice(0, at) + insert + text.slice(at), source);
}
