import { readFileSync } from 'node:fs';
import { endOfLifeWarning } from './node-support.js';

const on = (day: string): Date => new Date(`${day}T12:00:00Z`);

it('warns of a Node without security fixes, from the day after its last on', () => {
  expect(endOfLifeWarning('20.19.0', on('2026-04-30'))).toBeUndefined();
  expect(endOfLifeWarning('20.19.0', on('2026-05-01'))).toBe(
    'Node 20.19.0 has had no security fixes since 2026-04-30: use Node 24',
  );
});

it('says nothing of a Node that has them, or that it does not know', () => {
  expect(endOfLifeWarning('24.1.0', on('2026-11-30'))).toBeUndefined();
  expect(endOfLifeWarning('99.0.0', on('2026-11-30'))).toBeUndefined();
});

it('recommends the Node that the image has', () => {
  const [, image] = /^ARG NODE_IMAGE=node:(\d+)-/m.exec(readFileSync('docker/Dockerfile', 'utf8')) ?? [];
  expect(endOfLifeWarning('20.19.0', on('2027-01-01'))).toContain(`use Node ${image}`);
});
