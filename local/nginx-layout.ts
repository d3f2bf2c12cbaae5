import { copyFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './paths.js';

const SHIPPED = 'docker/nginx';

/** Which of the shipped files are in force, and what is changed in them. */
export interface NginxLayout {
  /** Of docker/nginx/upstreams/, routes/, listen/ and client-address/, without the suffix. */
  upstreams: string;
  routes: string;
  listen: 'http' | 'https';
  clientAddress?: string;
  /** Of the service's processes, in the order in which the upstreams name them. */
  ports: readonly number[];
  /** From, to; each must stand there. */
  changes: readonly (readonly [from: string, to: string])[];
}

/**
 * Puts the shipped configuration into a folder; what it writes goes there too. `nginx -p <folder> -c nginx.conf` runs it.
 *
 * @throws Error where the shipped files haven't got what is to be changed, or name more or fewer processes
 */
export function layOutNginx(folder: string, layout: NginxLayout): void {
  const { upstreams, routes, listen, clientAddress = 'direct', changes } = layout;
  cpSync(join(PROJECT_ROOT, SHIPPED), folder, { recursive: true });
  for (const [kind, choice] of Object.entries({ upstreams, routes, listen, 'client-address': clientAddress })) {
    copyFileSync(join(folder, kind, `${choice}.conf`), join(folder, kind, 'active.conf'));
  }
  const missing = new Set(changes);
  const ports = [...layout.ports];
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!name.endsWith('.conf')) continue;
    let text = readFileSync(join(folder, name), 'utf8').replaceAll('/tmp/', `${folder}/`);
    for (const change of changes) {
      if (text.includes(change[0])) missing.delete(change);
      text = text.replaceAll(...change);
    }
    if (name === join('upstreams', 'active.conf')) {
      text = text.replace(/(?<=server )\S+:5000/g, () => `127.0.0.1:${ports.shift()}`);
    }
    writeFileSync(join(folder, name), text);
  }
  if (missing.size > 0) throw new Error(`${SHIPPED} has no ${[...missing].map(([from]) => from).join(', ')}`);
  if (ports.length > 0) throw new Error(`upstreams/${upstreams}.conf names fewer processes`);
}
