/**
 * What Shift + Tab shows of a call: tslab shows the signature, in which an object of options is the name of a type and
 * no more. This adds each option with its type and its documentation, and finds the call also while its arguments are
 * being written.
 */
import type { Converter } from "./tslab";

/** A piece of text of TypeScript's quick info (ts.SymbolDisplayPart). */
interface Part {
  readonly text: string;
  readonly kind: string;
}

/** The part of TypeScript's quick info about a place that is used here (ts.QuickInfo). */
interface QuickInfo {
  readonly displayParts?: readonly Part[];
  readonly documentation?: readonly Part[];
}

const asText = (parts: readonly Part[] = []) => parts.map(({ text }) => text).join("");

/**
 * tslab's inspect(), with the options of the call at the position.
 * @param position an offset in `source`: in the name of the call, or between its parentheses
 * @returns TypeScript's quick info; undefined where there is nothing to tell
 */
export function inspectCall(of: Converter, earlier: string, source: string, position: number): unknown {
  const found = of.inspect(earlier, source, position) as QuickInfo | undefined;
  const call = calleeAt(source, position);
  if (call === undefined) return found;
  const info = found ?? (of.inspect(earlier, source, call.end - 1) as QuickInfo | undefined);
  const at = info && optionsParameter(asText(info.displayParts));
  if (!info || at === undefined) return info;
  const rows = optionRows(of, earlier, source, `NonNullable<Parameters<typeof ${call.name}>[${at}]>`);
  if (rows.length === 0) return info;
  const documentation = [...(info.documentation ?? []), { text: `\nOptions:\n${rows.join("\n")}`, kind: "text" }];
  return { ...info, documentation };
}

/**
 * The name that is called around `position` ("lab.connect"), and where it ends; undefined if it is not a plain name.
 */
export function calleeAt(source: string, position: number): { name: string; end: number } | undefined {
  const rest = /^[\w$]*/.exec(source.slice(position))?.[0].length ?? 0;
  const named = chainBefore(source, position + rest);
  if (named) return named;
  let depth = 0;
  for (let at = position - 1; at >= 0; at--) {
    const character = source[at] ?? "";
    if (")]}".includes(character)) depth++;
    else if ("([{".includes(character) && depth > 0) depth--;
    else if (character === "(") return chainBefore(source, at);
    else if (character === ";") return undefined;
  }
  return undefined;
}

function chainBefore(source: string, end: number): { name: string; end: number } | undefined {
  const name = /[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+$/.exec(source.slice(0, end))?.[0];
  return name === undefined ? undefined : { name, end };
}

/** The index of the parameter that is an object of options: its name or its type ends with "options". */
export function optionsParameter(signature: string): number | undefined {
  const open = signature.indexOf("(", signature.startsWith("(") ? 1 : 0);
  const parameters: string[] = [""];
  let depth = 0;
  for (const character of signature.slice(open + 1)) {
    if (depth === 0 && character === ")") break;
    if ("([{<".includes(character)) depth++;
    else if (")]}>".includes(character)) depth--;
    if (depth === 0 && character === ",") parameters.push("");
    else parameters.push((parameters.pop() ?? "") + character);
  }
  const at = parameters.findIndex((parameter) => /options\b/i.test(parameter));
  return at < 0 ? undefined : at;
}

/** "  rate?: number — clients per second; …", a row for each option of the type. */
function optionRows(of: Converter, earlier: string, source: string, type: string): string[] {
  const before = `${source}\n;(null! as ${type}).`;
  const completed = of.complete(earlier, before, before.length) as { candidates?: readonly string[] } | undefined;
  return (completed?.candidates ?? []).flatMap((name) => {
    const info = of.inspect(earlier, before + name, before.length) as QuickInfo | undefined;
    if (!info) return [];
    const declared = /\.(\w+\??: .*)$/s.exec(asText(info.displayParts))?.[1] ?? name;
    const told = asText(info.documentation).replace(/\s+/g, " ");
    return [`  ${declared.replace(/ \| undefined$/, "")}${told ? `: ${told}` : ""}`];
  });
}
