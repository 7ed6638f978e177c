import assert from "node:assert/strict";
import { givesUpAfter } from "../../dist/claims/client-timeouts";

/** seconds after which connect() ended on Linux 6.18, without the ms by which each timer is late */
const measured = [
  { retries: 1, linear: 4, seconds: 3 },
  { retries: 2, linear: 4, seconds: 7 },
  { retries: 3, linear: 20, seconds: 15 },
  { retries: 1, linear: 2, seconds: 3 },
  { retries: 6, linear: 4, seconds: 131 },
  { retries: 1, linear: 1, seconds: 4 },
  { retries: 1, linear: 0, seconds: 3 },
  { retries: 6, linear: 0, seconds: 127 },
];

describe("when a client times out", () => {
  for (const { retries, linear, seconds } of measured)
    it(`tcp_syn_retries ${retries}, tcp_syn_linear_timeouts ${linear}: after ${seconds} s`, () =>
      assert.equal(givesUpAfter(retries, linear), 1000 * seconds));
});
