import { Duplex } from "node:stream";
import type { PGlite } from "@electric-sql/pglite";

// Source: PostgreSQL documentation, "Message Formats": Terminate.
const TERMINATE = 0x58;

/**
 * Returns a stream that speaks PostgreSQL's wire protocol with an embedded database, for postgres.js to use as its socket:
 * one way to the database everywhere, and less work a statement than PGlite's own client, which runs every protocol
 * message by itself. What is written must be whole messages; postgres.js writes no others. PGlite has one session, so only
 * one such stream may be open at a time. Ending it leaves the database open.
 */
export function embeddedSocket(client: PGlite): Duplex {
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (chunk[0] === TERMINATE) return done(); // it would end PGlite's only session
      // Not execProtocolRaw: it parses every reply and keeps what it parsed for good. The bytes are PGlite's own memory.
      const replies: Buffer[] = [];
      const onRawData = (reply: Uint8Array) => void replies.push(Buffer.from(reply));
      // Pushed after `write` has returned: postgres.js loses what it writes while a write of its is under way.
      const finish = () => {
        for (const reply of replies) this.push(reply);
        done();
      };
      client.execProtocolRawStream(chunk, { onRawData }).then(finish, done);
    },
    final(done) {
      this.push(null);
      done();
    },
  });
  // postgres.js asks this of its socket before it ends it. Source: net.Socket.
  return Object.defineProperty(socket, "readyState", { get: () => (socket.destroyed ? "closed" : "open") });
}
