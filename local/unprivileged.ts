import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Numeric ids of the user a process is to run as. */
export interface UnixUser {
  uid: number;
  gid: number;
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** Finds a user in the text of `/etc/passwd`. */
export function findUser(passwd: string, name: string): UnixUser | undefined {
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name && uid && gid) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/**
 * Who a server that refuses to run as root is to run as: `nobody` when the launcher is root, else undefined
 * (the launcher's own user).
 *
 * @throws Error when the launcher is root and the system has no user `nobody`.
 */
export function serverUser(): UnixUser | undefined {
  if (!isRoot()) return undefined;
  const user = findUser(readFileSync('/etc/passwd', 'utf8'), 'nobody');
  if (!user)
    throw new Error('PostgreSQL refuses to run as root and there is no user "nobody": run as an ordinary user.');
  return user;
}

/**
 * Whether the server's user can walk into `folder` (or, where it doesn't exist yet, its nearest existing parent).
 * Asked of the system itself, since modes are not the whole truth (ACLs). Always true for an ordinary user.
 */
export function nobodyCanEnter(folder: string): boolean {
  if (!isRoot()) return true;
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const probe = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', existing], { ...serverUser(), cwd: '/', stdio: 'ignore' });
  return probe.status === 0;
}
