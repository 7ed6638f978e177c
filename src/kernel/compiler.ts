/** tslab's own TypeScript compiler: it is in memory already, and it is the one that decides what a cell may say. */
import type ts from "typescript";

export type TypeScript = typeof ts;
export type Node = ts.Node;

// Not named as a literal: its types would be compiled with ours.
const name: string = "@tslab/typescript-for-tslab";

let loaded: TypeScript | undefined;

export function compiler(): TypeScript {
  return (loaded ??= require(require.resolve(name, { paths: [require.resolve("tslab")] })) as TypeScript);
}
