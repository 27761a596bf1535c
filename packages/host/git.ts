import { spawnSync } from "node:child_process";

/** Returns the commit that this code is at, short, with "+" when files were changed since; "unknown" outside of git. */
export function gitSha(): string {
  const git = (...args: string[]): string | null => {
    const { status, stdout } = spawnSync("git", args, { encoding: "utf8" });
    return status === 0 ? stdout.trim() : null;
  };
  const sha = git("rev-parse", "--short=12", "HEAD");
  if (sha === null) return "unknown";
  return git("status", "--porcelain", "--untracked-files=no") === "" ? sha : `${sha}+`;
}
