/** `npm start`: from a fresh clone to JupyterLab with the first notebook open. */
import net from "node:net";
import util from "node:util";
import { build } from "./build.mjs";
import { jupyterEnvironment } from "./jupyter.mjs";
import { requirePlatform } from "./prerequisites.mjs";
import { command, root, say, SetupError } from "./project.mjs";
import { foreground } from "./run.mjs";

const help = `npm start [-- options]    builds what has changed and opens the workbook in JupyterLab

  --port N        listen on port N, and fail if it is taken (default: 8888 or the next free one)
  --ip ADDRESS    listen on ADDRESS (default: localhost)
  --no-browser    print the address, open nothing
  --help          this text

Ctrl-C ends JupyterLab and its kernels.`;

const first = "notebooks/00-start-here.ipynb";

function readOptions() {
  try {
    const { values } = util.parseArgs({
      options: { port: { type: "string" }, ip: { type: "string" }, "no-browser": { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (values.port !== undefined && !(/^\d+$/.test(values.port) && Number(values.port) >= 1 && Number(values.port) <= 65_535)) {
      throw new SetupError(`--port must be a number from 1 to 65535, not "${values.port}".`);
    }
    return values;
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${help}`);
  }
}

/** Asks the kernel before anything is built: Jupyter's own message comes late and is long. */
function requireFreePort(port, ip) {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.on("error", (error) => {
      const next = Number(port) < 65_535 ? Number(port) + 1 : Number(port) - 1;
      const why = {
        EADDRINUSE: `Port ${port} is taken by another program. Choose another one:\n  npm start -- --port ${next}`,
        EACCES: `Port ${port} is reserved for root. Choose one above 1023:\n  npm start -- --port 8888`,
        EADDRNOTAVAIL: `${ip} is not an address of this machine. Leave --ip away, or listen everywhere:\n  npm start -- --ip 0.0.0.0`,
      }[error.code];
      reject(new SetupError(why ?? `Port ${port} on ${ip} cannot be used: ${error.message}`));
    });
    probe.listen({ port: Number(port), host: ip, exclusive: true }, () => probe.close(resolve));
  });
}

await command(async () => {
  requirePlatform();
  const { port, ip = "localhost", "no-browser": noBrowser, help: wantsHelp } = readOptions();
  if (wantsHelp) return say(help);
  if (port !== undefined) await requireFreePort(port, ip);
  const { python, version } = await build({ jupyter: true });
  say(`• JupyterLab ${version} opens ${first}; Ctrl-C ends it.`);
  const args = [
    "-m",
    "jupyterlab",
    `--ServerApp.root_dir=${root}`,
    `--LabApp.default_url=/lab/tree/${first}`,
    `--ServerApp.ip=${ip}`,
    ...(port === undefined ? [] : [`--ServerApp.port=${port}`, "--ServerApp.port_retries=0"]),
    ...(noBrowser ? ["--no-browser"] : []),
    ...(process.getuid() === 0 ? ["--allow-root"] : []),
  ];
  process.exitCode = await foreground(python, args, { env: jupyterEnvironment() });
});
