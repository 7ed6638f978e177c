import { card } from "./card";
import { show, type Fragment } from "./display";
import { escapeHtml } from "./html";
import { palette } from "./palette";

export interface Verdict {
  /** of the claim */
  number: number;
  /** what the text says */
  claim: string;
  verdict: "holds" | "false" | "depends";
  /** what was measured, without a full stop */
  measured: string;
  /** a sentence */
  why: string;
  /** that decided it, e.g. "tcp_conn_request()" */
  kernelFunction: string;
}

const looks = {
  holds: { colour: palette.accepted, mark: "✓", words: "holds on this kernel" },
  false: { colour: palette.drops, mark: "✗", words: "is false on this kernel" },
  depends: { colour: palette.synQueue, mark: "≈", words: "depends" },
} as const;

/** What became of one claim of the text: html and text. */
export function verdictFragment({ number, claim, verdict, measured, why, kernelFunction }: Verdict): Fragment {
  const { colour, mark, words } = looks[verdict];
  return {
    html: card(
      colour,
      "solid",
      `<i>The text says:</i> ${escapeHtml(claim)}<br><span style="color:${colour};font-size:1.3em"><b>${mark}</b></span> <b>Claim ${number} ${words}.</b> Measured: ${escapeHtml(measured)}.<br>${escapeHtml(why)} <code>${escapeHtml(kernelFunction)}</code>`,
    ),
    text: `The text says: ${claim}\n${mark} Claim ${number} ${words}. Measured: ${measured}.\n${why} ${kernelFunction}`,
  };
}

/** Shows what became of one claim of the text. */
export function verdictCard(verdict: Verdict): void {
  show(verdictFragment(verdict));
}
