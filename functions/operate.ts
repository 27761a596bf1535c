import { explained } from "#db/reading/explanation";
import { verifyRecords } from "#db/records";
import { lookAtDesk } from "#db/server/look";
import { judgeLetters } from "#db/server/redrive";
import { armByHand } from "#db/trading/arming";
import { commandControl, judgeByHand, noteByHand } from "#db/trading/by-hand";
import { switchBooks } from "#db/trading/kill-switch";
import { changeBoth } from "#desk/control-object";
import { armingJudge } from "#runtime/arming-judge";
import { task } from "#runtime/task";
import { traceFields } from "#runtime/trace";
import { Operation } from "#topology/operations";
import { policyHash, policyOf } from "#trading/plans/policy";

/** What a person orders → the kill switch, an order in doubt or dead letters, with who and why in the audit log. Or a look. */
export const handler = task("operate", async ({ database, control, settings }, input) => {
  const operation = Operation.parse(input);
  const traceId = traceFields().correlationId ?? null;
  switch (operation.act) {
    case "look":
      return {
        ...(await lookAtDesk(database, settings.chain, armingJudge(settings))),
        policyHash: policyHash(policyOf(settings)),
      };
    case "control": {
      const command = () => commandControl(database, operation, traceId);
      const { reply, problem } = await changeBoth(switchBooks(database), control, operation, command);
      return { ...reply, object: problem };
    }
    case "judge":
      return judgeByHand(database, operation, traceId);
    case "letters":
      return judgeLetters(database, operation, policyOf(settings), traceId);
    case "arm":
      return armByHand(database, operation, armingJudge(settings), traceId);
    case "note":
      return noteByHand(database, operation, traceId);
    case "explain":
      return explained(database, operation.order, policyOf(settings));
    case "records":
      return verifyRecords(database, operation.at, operation.kept);
  }
});
