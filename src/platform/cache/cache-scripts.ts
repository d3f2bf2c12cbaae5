import { createHash } from 'node:crypto';

/** A Lua script, which Redis knows by its SHA-1 once it has run it. */
export class Script {
  readonly sha1: string;

  constructor(readonly source: string) {
    this.sha1 = createHash('sha1').update(source).digest('hex');
  }
}

/** KEYS: hash. ARGV: field, a random version for a hash that isn't there, its time to live in seconds. */
export const LOOK_UP = new Script(`
local found = redis.call('HMGET', KEYS[1], 'version', ARGV[1])
if not found[1] then
  redis.call('HSET', KEYS[1], 'version', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
  found[1] = ARGV[2]
end
return found
`);

/**
 * KEYS: hash. ARGV: field, the version that the request read, the answer, how many bytes the hash may hold, its time to
 * live in seconds. A hash that would be too large is emptied first, and keeps its version.
 */
export const FILL = new Script(`
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return 0 end
local overhead = 64
local size = #ARGV[1] + #ARGV[3] + overhead
local held = tonumber(redis.call('HGET', KEYS[1], 'bytes') or 0)
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  held = held - #ARGV[1] - redis.call('HSTRLEN', KEYS[1], ARGV[1]) - overhead
end
if held + size > tonumber(ARGV[4]) then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'version', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[5])
  held = 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3], 'bytes', held + size)
return 1
`);
