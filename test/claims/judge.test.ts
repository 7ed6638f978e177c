import assert from "node:assert/strict";
import { claims } from "../../dist/claims/registry";
// each of these files tries the judges of one subject when it is loaded
import "./judged/connections";
import "./judged/floods";
import "./judged/handshake";
import "./judged/overflow";
import "./judged/queues";
import "./judged/scale";
import { tried } from "./judging";

describe("judges of claims", () => {
  it("every claim's judge is tried here", () =>
    assert.deepEqual(
      [...tried].sort((a, b) => a - b),
      claims.map(({ number }) => number),
    ));
});
