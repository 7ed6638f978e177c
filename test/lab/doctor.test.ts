import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { doctor } from "../../dist/index";
import { ruleBehind, type MachineFacts } from "../../dist/lab/forbidden";
import { skip } from "../fixtures/skip";

const main = path.resolve(__dirname, "../../dist/cli/main.js");
const facts: MachineFacts = {
  root: false,
  container: false,
  seccomp: 0,
  maxUserNamespaces: 1000,
  maxNetNamespaces: 1000,
  maxPidNamespaces: 1000,
};
const errno = { EPERM: 1, ENOENT: 2, ENOSPC: 28, EOPNOTSUPP: 95, EINVAL: 22, EIO: 5 };

describe("the doctor", () => {
  it("finds this machine fit", async () => {
    const report = await doctor();
    assert.ok(report.healthy, JSON.stringify(report.findings.filter(({ outcome }) => outcome !== "works")));
    assert.ok(report.findings.length > 12);
  });

  it("knows the rules that forbid", () => {
    const rule = (step: string, error: number, more: Partial<MachineFacts> = {}) =>
      ruleBehind(step, error, { ...facts, ...more });
    assert.match(rule("user-namespace", errno.EPERM, { seccomp: 2, container: true }).rule, /Docker/);
    assert.match(rule("user-namespace", errno.EPERM, { seccomp: 2, container: true }).remedy, /--cap-add SYS_ADMIN/);
    assert.match(rule("id-maps", errno.EPERM, { appArmorRestricts: 1 }).rule, /AppArmor/);
    assert.match(
      rule("id-maps", errno.EPERM, { appArmorRestricts: 1 }).remedy,
      /apparmor_restrict_unprivileged_userns=0/,
    );
    assert.match(rule("user-namespace", errno.EPERM, { unprivilegedClone: 0 }).remedy, /unprivileged_userns_clone=1/);
    assert.match(rule("user-namespace", errno.ENOSPC).rule, /max_user_namespaces \(1000\)/);
    assert.match(rule("network-namespace", errno.ENOSPC).remedy, /max_net_namespaces/);
    assert.match(rule("pid-namespace", errno.ENOSPC).remedy, /max_pid_namespaces/);
    assert.match(rule("veth", errno.EOPNOTSUPP).remedy, /modprobe veth/);
    assert.match(rule("user-namespace", errno.EINVAL).rule, /CONFIG_USER_NS/);
    assert.match(rule("established-hash", errno.ENOENT).rule, /older than 6\.1/);
    assert.match(rule("lab-namespace", errno.EIO).rule, /no common rule/);
  });

  it("prints a report, as text and as JSON", () => {
    const text = spawnSync(process.execPath, [main, "doctor"], { encoding: "utf8" });
    assert.equal(text.status, 0, text.stdout + text.stderr);
    assert.match(text.stdout, /Every Lab of the workbook can be opened here/);
    const json = JSON.parse(spawnSync(process.execPath, [main, "doctor", "--json"], { encoding: "utf8" }).stdout);
    assert.equal(json.healthy, true);
  });

  // A user namespace of its own may lower its own limit of network namespaces: the real refusal, on a machine that allows everything.
  it("names an exhausted limit for real", function () {
    const script = `echo 0 > /proc/sys/user/max_net_namespaces && exec ${process.execPath} ${main} doctor`;
    const ran = spawnSync("unshare", ["--user", "--map-root-user", "sh", "-c", script], { encoding: "utf8" });
    if (ran.error || /unshare:/.test(ran.stderr))
      skip(this, `unshare cannot make a user namespace here: ${ran.stderr}`);
    assert.equal(ran.status, 1, ran.stdout + ran.stderr);
    assert.match(ran.stdout, /unshare: ENOSPC/);
    assert.match(ran.stdout, /sudo sysctl -w user\.max_net_namespaces/);
  });
});
