import assert from "node:assert/strict";
import { UndecidedError } from "../../dist/claims/claim";
import { rangeWords, requireAgreement, weighParts, weightOf } from "../../dist/claims/weighing";
import { tcpSocketBytes } from "../../dist/lab/memory";

const whole = (bytes: number) => String(Math.round(bytes));

describe("weighing in parts", () => {
  it("gives the median and the range of the parts", () =>
    assert.deepEqual(weightOf([3000, 2900, 90_000]), { middle: 3000, least: 2900, most: 90_000 }));

  it("what the scale moves by itself widens the range, but no connection is lighter than its socket", () => {
    const drift = { floor: 2368, drift: 1000 };
    assert.deepEqual(weightOf([3000, 2900, 5000], drift), { middle: 3000, least: 2368, most: 6000 });
    assert.deepEqual(weightOf([100_000], { ...drift, drift: 95_000 }), { middle: 100_000, least: 5000, most: 195_000 });
  });

  it("counts what came, and never gives less than the size of a socket", async () => {
    const seen: number[] = [];
    const { count, objects } = await weighParts(2, (part) => Promise.resolve(seen.push(part) * 1000));
    assert.deepEqual([seen, count], [[0, 1], 3000]);
    const socket = tcpSocketBytes();
    assert.ok(socket > 1000 && socket < 5000, `${socket} bytes`);
    assert.ok(objects.least >= socket && objects.least <= objects.middle && objects.middle <= objects.most);
  });

  it("leaves a verdict undecided whose range lies on both sides of the limit", () => {
    const judge = (bytesLeast?: number, bytesMost?: number) =>
      requireAgreement({ ...(bytesLeast && { bytesLeast }), ...(bytesMost && { bytesMost }) }, 65_536, "3 KB", "f()");
    judge();
    judge(2368, 20_000);
    judge(70_000, 140_000);
    assert.throws(() => judge(2368, 195_000), UndecidedError);
  });

  it("shows a range only where there is one", () => {
    assert.equal(rangeWords(2890, {}, whole), "2890");
    assert.equal(rangeWords(2890, { bytesLeast: 2890.2, bytesMost: 2890.4 }, whole), "2890");
    assert.equal(rangeWords(2890, { bytesLeast: 2850, bytesMost: 2911 }, whole), "2890 (2850 to 2911)");
  });
});
