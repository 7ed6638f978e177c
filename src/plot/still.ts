import type { Json } from "./figure";
import { theme } from "./palette";

const onWhite: Readonly<Record<string, string>> = {
  [theme.text]: "#222222",
  [theme.faint]: "#666666",
  [theme.grid]: "#dddddd",
  [theme.panel]: "#f2f2f2",
  [theme.halo]: "rgba(255,255,255,0.85)",
  [theme.paper]: "#ffffff",
};

/** Data and layout of a figure in the colours of a white page: for still pictures, which follow nobody's theme. */
export function onWhitePaper({ data, layout }: { data: readonly Json[]; layout: Json }): { data: Json[]; layout: Json } {
  let json = JSON.stringify({ data, layout });
  for (const [stand, colour] of Object.entries(onWhite)) json = json.replaceAll(stand, colour);
  return JSON.parse(json) as { data: Json[]; layout: Json };
}
