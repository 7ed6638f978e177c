/** Evidence and what the judge of a claim must say of it. */
import assert from "node:assert/strict";
import { ArgumentError } from "../../dist/errors";
import { judge, type ClaimNumber, type EvidenceOf } from "../../dist/claims/registry";

/** The claims whose judges verdicts() has tried so far. */
export const tried = new Set<number>();

export type Verdict = "holds" | "false" | "depends" | "undecided";

/** The judge must follow the evidence, whichever way it points. */
export function verdicts<N extends ClaimNumber>(number: N, expected: [Verdict, EvidenceOf<N>, string][]): void {
  tried.add(number);
  describe(`claim ${number}`, () => {
    for (const [verdict, evidence, when] of expected) {
      it(`${verdict}: ${when}`, () => {
        const decision = judge(number, evidence);
        assert.equal(decision.verdict, verdict, `${decision.measured} (${decision.why})`);
        assert.ok(decision.measured && decision.why.endsWith("."));
        assert.match(decision.kernel, /^\w+\(\)$/);
        assert.deepEqual(decision.evidence, evidence);
      });
    }
  });
}

/** The judge must refuse this evidence, with this message and this hint. */
export function undecidable<N extends ClaimNumber>(
  number: N,
  evidence: EvidenceOf<N>,
  message: string,
  hint: string,
): void {
  it(`claim ${number}: ${message}`, () => {
    assert.throws(
      () => judge(number, evidence),
      (error: Error) => {
        assert.ok(error instanceof ArgumentError, String(error));
        assert.deepEqual([error.message, error.hint], [message, hint]);
        return true;
      },
    );
  });
}
