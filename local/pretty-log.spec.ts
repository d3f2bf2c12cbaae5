import { isNoise, prettyLine } from './pretty-log.js';

const at = new Date(2026, 0, 2, 3, 4, 5).toISOString();
const line = (fields: object): string => JSON.stringify({ level: 'info', time: at, ...fields });

describe('prettyLine', () => {
  it('shows a request with its method, path, status, duration and id', () => {
    const entry = line({
      method: 'GET',
      path: '/api/v1/tasks',
      status: 200,
      ms: 12.3,
      requestId: 'r1',
      msg: 'request',
    });
    expect(prettyLine(entry, false)).toBe('[03:04:05] INFO: GET /api/v1/tasks 200 12.3 ms r1');
  });

  it('shows a message with where it comes from', () => {
    expect(prettyLine(line({ context: 'Relay', msg: 'caught up' }), false)).toBe('[03:04:05] INFO: [Relay] caught up');
  });

  it("shows an error's stack on lines of its own", () => {
    const entry = line({ level: 'error', msg: 'it broke', err: { stack: 'Error: why\n    at here' } });
    expect(prettyLine(entry, false)).toMatch(/^\[03:04:05\] ERROR: it broke\n.*Error: why\n +at here/s);
  });

  it('understands numeric levels', () => {
    expect(prettyLine(line({ level: 40, msg: 'careful' }), false)).toBe('[03:04:05] WARN: careful');
  });

  it('leaves what is not JSON as it is', () => {
    expect(prettyLine('(node:1) a warning', true)).toBe('(node:1) a warning');
    expect(prettyLine('{broken', true)).toBe('{broken');
  });
});

describe('isNoise', () => {
  it('is what the framework says while it boots, and probes that went well', () => {
    expect(isNoise(line({ context: 'RouterExplorer', msg: 'Mapped {/health, GET} route' }))).toBe(true);
    expect(isNoise(line({ path: '/health/ready', status: 200 }))).toBe(true);
  });

  it('is no warning and no failed probe', () => {
    expect(isNoise(line({ level: 'warn', context: 'RouterExplorer' }))).toBe(false);
    expect(isNoise(line({ path: '/health/ready', status: 503 }))).toBe(false);
  });
});
