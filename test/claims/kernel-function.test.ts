import assert from "node:assert/strict";
import { kernelFunction, lookUp } from "../../dist/claims/kernel-function";

describe("names of kernel functions", () => {
  it("are this kernel's own", () => {
    for (const which of ["listenCut", "sequence", "requestDiag"] as const)
      assert.match(kernelFunction(which), /^\w+\(\)$/);
  });

  it("are looked up among its symbols, whole names only, the newest first", () => {
    const older =
      "0000000000000000 T __sys_listen\n0000000000000000 t inet_req_diag_fill\n0000000000000000 d secure_tcp_seq\n";
    assert.deepEqual(
      [...lookUp(older)],
      [
        ["listenCut", "__sys_listen"],
        ["requestDiag", "inet_req_diag_fill"],
      ],
    );
    const both = `${older}0000000000000000 T __sys_listen_socket\n0000000000000000 T secure_tcp_seq_and_ts_off\n`;
    assert.equal(lookUp(both).get("listenCut"), "__sys_listen_socket");
    assert.equal(lookUp(both).get("sequence"), "secure_tcp_seq_and_ts_off");
    assert.equal(lookUp("").size, 0);
  });
});
