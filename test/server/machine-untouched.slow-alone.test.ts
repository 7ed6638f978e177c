import { leavesTheMachineAsItWas, notebooks } from "./machine";

// Notebook 00: machine-untouched.test.ts.
describe("after a notebook", function () {
  this.timeout(180_000);

  for (const notebook of notebooks.filter((each) => each !== "00")) {
    it(`${notebook}: no process, namespace, open file, file or sysctl of the machine is different`, async function () {
      await leavesTheMachineAsItWas(this, notebook);
    });
  }
});
