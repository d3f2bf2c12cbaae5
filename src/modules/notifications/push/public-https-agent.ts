import { lookup as resolve, type LookupAddress } from 'node:dns';
import { Agent } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { isPublicAddress } from './public-address.js';

/** The name or address leads into a network that is nobody's business. */
export class NotPublicError extends Error {
  constructor() {
    super('the address is not a public one');
  }
}

/**
 * Connects to public addresses alone. It is the address that is connected to which is checked, so a name can't lead elsewhere the
 * second time it is looked up (DNS rebinding); one address that isn't public spoils the name.
 */
export class PublicHttpsAgent extends Agent {
  override createConnection(...[options, callback]: Parameters<Agent['createConnection']>) {
    const host = options.host ?? '';
    if (isIP(host) && !isPublicAddress(host)) throw new NotPublicError();
    return super.createConnection({ ...options, lookup: lookupPublic }, callback);
  }
}

export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[] | undefined) => {
    const [first] = addresses ?? [];
    if (error || !first) return callback(error ?? new Error('the name has no address'), '', 4);
    if (!addresses?.every(({ address }) => isPublicAddress(address))) return callback(new NotPublicError(), '', 4);
    if (options.all) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
