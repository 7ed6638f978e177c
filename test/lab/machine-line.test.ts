import assert from "node:assert/strict";
import os from "node:os";
import { Lab, machineLine } from "../../dist/index";

describe("machineLine()", () => {
  it("names the kernel, and the settings of this Lab", async () => {
    const lab = await Lab.open({ wire: false, sysctls: { "net.core.somaxconn": 77, "net.ipv4.tcp_syncookies": 2 } });
    try {
      const line = await machineLine(lab);
      assert.ok(line.startsWith(`Linux ${os.release()}, `), line);
      assert.match(line, /somaxconn 77, .*tcp_syncookies 2\b/);
      assert.doesNotMatch(line, /\n|undefined/);
    } finally {
      await lab.close();
    }
  });
});
