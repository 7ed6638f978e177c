/**
 * tslab's own TypeScript compiler: it is in memory already, and it is the one that decides which code a cell may
 * contain.
 */
import type ts from "typescript";

/** The compiler's interface. */
export type TypeScript = typeof ts;
/** A node of its syntax trees. */
export type Node = ts.Node;

// Not named as a literal: its types would be compiled with ours.
const name: string = "@tslab/typescript-for-tslab";

let loaded: TypeScript | undefined;

/** Loads the compiler at the first call. @throws Error tslab is not installed */
export function compiler(): TypeScript {
  return (loaded ??= require(require.resolve(name, { paths: [require.resolve("tslab")] })) as TypeScript);
}
