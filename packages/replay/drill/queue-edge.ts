import type { Listening } from "#host/http";
import { type Answer, awsAnswer, edge, forward, OUT_OF_ORDER, operationOf, type Passing, refusals } from "./edge.ts";
import type { FaultPlan } from "./plan.ts";

/** One message that a queue took, by its id. */
export interface Taken {
  readonly queue: string;
  readonly body: string;
}

/** What passed a queue's edge. */
export interface Ledger {
  /** Every message that SQS accepted, by message id. */
  readonly taken: Map<string, Taken>;
  /** The ids of those that a consumer was done with. */
  readonly done: Set<string>;
  deliveries: number;
}

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
}
interface Received {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
}
interface Wire {
  readonly QueueUrl: string;
  readonly MessageBody?: string;
  readonly Entries?: readonly (Entry & { readonly MessageBody: string })[];
}
interface Reply {
  readonly MessageId?: string;
  readonly Messages?: readonly Received[];
  readonly Successful?: readonly { readonly Id: string; readonly MessageId: string }[];
}

type QueuePlan = Pick<FaultPlan, "pass" | "refuse" | "redelivers" | "mayLose">;

/** Operations that a job's code waits for; the others are the event-source mapping's and the bus's own. */
const JOBS_OWN = ["SendMessageBatch", "ChangeMessageVisibilityBatch"];

const nameOf = ({ QueueUrl }: Wire): string => QueueUrl.split("/").pop() ?? QueueUrl;

/** Makes a batch visible again at once, the last message first: fauxqs puts each in front of its queue or group. */
function giveBack(upstream: string, wire: Wire, request: Passing, receipts: readonly string[]): Promise<Answer> {
  const Entries = receipts
    .toReversed()
    .map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: 0 }));
  const headers = { ...request.headers, "x-amz-target": "AmazonSQS.ChangeMessageVisibilityBatch" };
  return forward(upstream, { ...request, headers, body: JSON.stringify({ QueueUrl: wire.QueueUrl, Entries }) });
}

/**
 * Serves in front of SQS: refuses calls, loses the replies of receives, and gives back messages whose deletion it
 * reports as done. A message that failed is visible again at once, since nobody wants to wait six timeouts of a function.
 */
export async function queueEdge(upstream: string, plan: QueuePlan): Promise<Listening & { readonly ledger: Ledger }> {
  const ledger: Ledger = { taken: new Map(), done: new Set(), deliveries: 0 };
  const refuse = refusals(plan, "queues");
  const producer = producing(upstream, ledger);
  const consumer = consuming(upstream, ledger, plan);
  const carryOut = async (request: Passing): Promise<Answer> => {
    const operation = operationOf(request);
    const wire = JSON.parse(request.body) as Wire;
    const isSend = operation === "SendMessageBatch";
    const refusal = refuse(request, isSend);
    if (refusal?.stage === "before") return OUT_OF_ORDER;
    if (refusal?.stage === "part") return isSend ? producer.sendPart(wire, request) : OUT_OF_ORDER;
    if (operation === "ReceiveMessage") return consumer.receive(wire, request, refusal !== null);
    const answer = await (operation.startsWith("SendMessage")
      ? producer.send(wire, request)
      : operation === "DeleteMessageBatch"
        ? consumer.remove(wire, request)
        : operation === "ChangeMessageVisibilityBatch"
          ? consumer.fail(wire, request)
          : forward(upstream, request));
    return refusal ? OUT_OF_ORDER : answer;
  };
  const listening = await edge("queues", plan, carryOut, (request) => JOBS_OWN.includes(operationOf(request)));
  return { ...listening, ledger };
}

/** What producers ask of a queue. */
function producing(upstream: string, ledger: Ledger) {
  const send = async (wire: Wire, request: Passing): Promise<Answer> => {
    const answer = await forward(upstream, request);
    const { Successful = [], MessageId } = JSON.parse(answer.body) as Reply;
    const queue = nameOf(wire);
    for (const { Id, MessageId: id } of Successful)
      ledger.taken.set(id, { queue, body: wire.Entries?.find((entry) => entry.Id === Id)?.MessageBody ?? "" });
    if (MessageId) ledger.taken.set(MessageId, { queue, body: wire.MessageBody ?? "" });
    return answer;
  };
  return {
    send,
    /** Takes the first of several and refuses the others; refuses a single one. */
    sendPart: async (wire: Wire, request: Passing): Promise<Answer> => {
      const entries = wire.Entries ?? [];
      const kept = entries.slice(0, entries.length > 1 ? 1 : 0);
      const body = JSON.stringify({ ...wire, Entries: kept });
      const answer = kept.length > 0 ? await send(wire, { ...request, body }) : awsAnswer(200, { Successful: [] });
      const Failed = entries
        .slice(kept.length)
        .map(({ Id }) => ({ Id, Code: "InternalError", SenderFault: false, Message: "injected" }));
      return awsAnswer(200, { ...(JSON.parse(answer.body) as object), Failed });
    },
  };
}

/** What an event-source mapping asks of a queue. */
function consuming(upstream: string, ledger: Ledger, plan: QueuePlan) {
  const idOf = new Map<string, string>();
  const allDone = ({ Entries = [] }: Wire): Answer =>
    awsAnswer(200, { Successful: Entries.map(({ Id }) => ({ Id })), Failed: [] });
  return {
    receive: async (wire: Wire, request: Passing, loses: boolean): Promise<Answer> => {
      const answer = await forward(upstream, request);
      const { Messages = [] } = JSON.parse(answer.body) as Reply;
      for (const { ReceiptHandle, MessageId } of Messages) idOf.set(ReceiptHandle, MessageId);
      ledger.deliveries += Messages.length;
      if (!loses || Messages.length === 0 || !plan.mayLose(Messages.map((message) => message.MessageId))) return answer;
      const receipts = Messages.map((message) => message.ReceiptHandle);
      await giveBack(upstream, wire, request, receipts);
      return OUT_OF_ORDER;
    },
    remove: async (wire: Wire, request: Passing): Promise<Answer> => {
      const entries = wire.Entries ?? [];
      const again = entries.filter(({ ReceiptHandle }) => plan.redelivers(idOf.get(ReceiptHandle) ?? ""));
      const Entries = entries.filter((entry) => !again.includes(entry));
      const receipts = again.map((entry) => entry.ReceiptHandle);
      if (again.length > 0) await giveBack(upstream, wire, request, receipts);
      if (Entries.length > 0) await forward(upstream, { ...request, body: JSON.stringify({ ...wire, Entries }) });
      for (const { ReceiptHandle } of Entries) ledger.done.add(idOf.get(ReceiptHandle) ?? "");
      return allDone(wire);
    },
    fail: async (wire: Wire, request: Passing): Promise<Answer> => {
      const receipts = (wire.Entries ?? []).map((entry) => entry.ReceiptHandle);
      await giveBack(upstream, wire, request, receipts);
      return allDone(wire);
    },
  };
}
