import assert from "node:assert/strict";
import type { Outcome } from "../../dist/cli/claim-outcome";
import { htmlReport, markdownReport, textReport } from "../../dist/cli/kernels-report";

const decided = (number: number, verdict: "holds" | "false", measured: string): Outcome =>
  ({ number, statement: `statement ${number}`, verdict, measured, why: "because", kernel: "tcp_f()", duration: 1 }) as Outcome; // prettier-ignore
const failed = (number: number, message: string): Outcome => ({
  number,
  statement: `statement ${number}`,
  section: "1",
  notebook: "00",
  error: { code: "ERR_KERNEL", message, hint: "Take another." },
  duration: 1,
});

const report = {
  command: "npx one-listener claims --kernels all",
  date: "2026-01-02",
  kernels: [
    { version: "5.10.46", outcomes: [decided(1, "holds", "a"), failed(2, "there is no <counter> | here")] },
    { version: "6.1.176", outcomes: [decided(1, "holds", "b"), decided(2, "false", "5 of 6")] },
    { version: "7.2.7", outcomes: [decided(1, "holds", "c"), decided(2, "false", "5 of 6")] },
    { version: "9", outcomes: [], error: "It is not installed." },
  ],
};

describe("the claims on several kernels", () => {
  it("are a table with a column a kernel, and what differs is told for each side", () => {
    const text = textReport(report);
    assert.match(text, /claim +5\.10\.46 +6\.1\.176 +7\.2\.7 +9\n/);
    assert.match(text, / 1 +✓ holds +✓ holds +✓ holds *\n/);
    assert.match(text, / 2 +– not measured +✗ false +✗ false +differs\n/);
    assert.match(text, /– not measured: Linux 5\.10\.46\n {4}there is no <counter> \| here Take another\./);
    assert.match(text, /✗ false: Linux 6\.1\.176, 7\.2\.7\n {4}5 of 6\. because \[tcp_f\(\)\]/);
    assert.match(text, /Linux 5\.10\.46: 1 holds, 1 not measured\n/);
    assert.match(text, /Linux 9: It is not installed\.$/);
  });

  it("say so where the kernels agree", () => {
    const same = { ...report, kernels: report.kernels.slice(1, 3) };
    assert.match(textReport(same), /The kernels agree\./);
    assert.match(markdownReport(same), /The kernels agree\./);
  });

  it("are Markdown and a page in which no text becomes markup", () => {
    const markdown = markdownReport(report);
    assert.ok(
      markdown.startsWith(
        "# The claims on several kernels\n\nMade on 2026-01-02 by `npx one-listener claims --kernels all`",
      ),
    );
    assert.match(markdown, /\| 2\. \*\*statement 2\*\* \| – not measured \| ✗ false \| ✗ false \| {3}\|/);
    assert.match(markdown, /there is no &lt;counter> \\\| here/);
    const page = htmlReport(report);
    assert.match(page, /<tr class="differs"><td>2\. statement 2<\/td>/);
    assert.ok(!page.includes("<counter>") && page.includes("&#60;counter&#62;"));
  });
});
