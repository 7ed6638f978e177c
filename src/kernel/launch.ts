/**
 * The notebook kernel: tslab, changed as notebooks need it. The kernelspec (setup/jupyter.mjs) runs this file with the path
 * of a Jupyter connection file.
 *
 * What it adds to tslab: error messages as the Jupyter protocol has them, hints, the reader's line; interrupts that end a cell
 * wherever it is; display bundles of several forms; an end when Jupyter ends.
 */
import { offerGuards } from "./await-guard";
import { showBackgroundErrors } from "./background-errors";
import { latestRun, onCell, runningCell } from "./cell";
import { cellExecutor, sources } from "./cell-executor";
import { cellHandler } from "./cell-handler";
import { cellServer, display } from "./cell-server";
import { offerKernelHook } from "./hook";
import { dropLookupTimer } from "./lookup-timer";
import { loadTslab } from "./tslab";
import { watch } from "./watch";

const connectionFile = process.argv[2];
if (!connectionFile) {
  process.stderr.write("This is a Jupyter kernel, and Jupyter starts it: npm start\n");
  process.exit(2);
}

const watcher = watch();
const tslab = loadTslab();
dropLookupTimer();
offerKernelHook({
  display,
  onCell,
  get run() {
    return latestRun();
  },
  get sources() {
    const cell = runningCell();
    return cell ? [...sources, cell.source] : sources;
  },
});
offerGuards();
// tslab's main.js looks these up when it starts the kernel
tslab.executor.createExecutor = cellExecutor(tslab.executor.createExecutor, watcher);
tslab.jupyter.JupyterHandlerImpl = cellHandler(tslab);
tslab.jupyter.ZmqServer = cellServer(tslab);
tslab.main.startKernel({ configPath: connectionFile, enableFindLocal: false });
showBackgroundErrors();
