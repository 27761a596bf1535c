import { expect, test } from "vitest";
import { startProgram } from "./command.ts";

test("waiting for what a program writes ends as soon as it ended, with what it had written", async () => {
  const dead = startProgram(["-e", 'console.log("so far"); console.error("no room"); process.exit(3)']);
  await expect(dead.wrote(/never/)).rejects.toThrow(
    /^ended with 3 before \/never\/:\n(so far\nno room|no room\nso far)\n$/,
  );
  const killed = startProgram(["-e", 'console.log("on"); setInterval(() => {}, 1000)']);
  await killed.wrote(/^on$/m);
  killed.child.kill("SIGKILL");
  await expect(killed.wrote(/never/)).rejects.toThrow("ended with SIGKILL before /never/");
  await expect(killed.wrote(/on/)).resolves.toBeUndefined();
});
