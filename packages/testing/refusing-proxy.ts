import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";

/** Whether this machine can make a certificate. */
export const hasOpenssl: boolean = spawnSync("openssl", ["version"]).status === 0;

/** What stands where RDS Proxy would: it asks for TLS and for a password, keeps the password and refuses it. */
export interface RefusingProxy {
  /** On the host `localhost`. */
  readonly port: number;
  /** The passwords that were shown, in order of connection. */
  readonly passwords: readonly string[];
  /** The PEM file of the authority that signed its certificate. */
  readonly authority: string;
  close(): void;
}

const packet = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const PASSWORD_PLEASE = packet("R", Buffer.from([0, 0, 0, 3])); // AuthenticationCleartextPassword, as for an IAM token
const REFUSED = packet("E", Buffer.from("SFATAL\0VFATAL\0C28000\0Mnot today\0\0"));

/** Starts one, with a key and a certificate of localhost made for it. Source: PostgreSQL, "Message Formats". */
export async function refusingProxy(): Promise<RefusingProxy> {
  const folder = mkdtempSync(join(tmpdir(), "spyhop-proxy-"));
  const [keyFile, authority] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const made = ["-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"];
  const named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const { status, stderr } = spawnSync("openssl", ["req", ...made, ...named, "-keyout", keyFile, "-out", authority]);
  if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`);
  const identity = { key: readFileSync(keyFile), cert: readFileSync(authority) };
  const passwords: string[] = [];
  const server = createServer((plain) => {
    plain.on("error", () => {}); // a client that goes at once
    plain.once("data", () => {
      plain.write("S");
      const session = new TLSSocket(plain, { isServer: true, ...identity });
      session.on("error", () => {});
      session.once("data", () => {
        session.write(PASSWORD_PLEASE);
        session.once("data", (bytes) => {
          passwords.push(bytes.subarray(5, -1).toString());
          session.end(REFUSED);
        });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const close = (): void => {
    server.close();
    rmSync(folder, { recursive: true });
  };
  return { port: (server.address() as AddressInfo).port, passwords, authority, close };
}
