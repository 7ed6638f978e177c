/**
 * Attack: mocha's own methods are replaced
 * Wall: mocha is not in the sandbox
 * Told: ^It threw: Cannot find module 'mocha'\nRequire stack:\n- __PROJECT__\/solution\.js \(line \d+\)$
 */
export async function queueArithmetic(task: any): Promise<any> {
  const mocha = require("mocha");
  mocha.Runner.prototype.fail = () => undefined;
  mocha.Test.prototype.run = (done: any) => done();
  return { maximum: -1, waiting: -1 };
}
