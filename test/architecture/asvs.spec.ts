import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = join(process.cwd(), 'docs');
const TEXT = readFileSync(join(DOCS, 'asvs.md'), 'utf8');
const STATES = ['met', 'in part', 'not met', 'not applicable'];

const rows = TEXT.split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()));

/** A row for each requirement: its id, level, state, and where it is met. */
const requirements = rows
  .filter(([, id = '']) => /^\d+\.\d+\.\d+$/.test(id))
  .map(([, id = '', level = '', , state = '', where = '']) => ({ id, level, state, where }));

/** The numbers of a row of the summary. */
function summaryOf(isTitle: (title: string) => boolean): number[] {
  const row = rows.find(([, title = '']) => isTitle(title)) ?? [];
  return row.slice(2, 7).map(Number);
}

function count(isCounted: (requirement: (typeof requirements)[number]) => boolean): number[] {
  const counted = requirements.filter(isCounted);
  return [...STATES.map((state) => counted.filter((each) => each.state === state).length), counted.length];
}

describe('docs/asvs.md', () => {
  it('has every requirement of Level 1 and Level 2 once, with a state and a reason', () => {
    expect(new Set(requirements.map(({ id }) => id)).size).toBe(requirements.length);
    expect(requirements.filter(({ level }) => level === '1')).toHaveLength(70);
    expect(requirements.filter(({ level }) => level === '2')).toHaveLength(183);
    expect(requirements.filter(({ state, where }) => !STATES.includes(state) || where === '')).toEqual([]);
  });

  it('names a file for each requirement that is met', () => {
    const unproven = requirements.filter(({ state, where }) => state === 'met' && !where.includes(']('));
    expect(unproven.map(({ id }) => id)).toEqual([]);
  });

  it('names only files that exist', () => {
    const paths = [...TEXT.matchAll(/\]\(([^)#\s]+)/g)].map(([, path = '']) => path);
    const files = paths.filter((path) => !path.startsWith('https://'));
    expect(files.length).toBeGreaterThan(100);
    expect(files.filter((path) => !existsSync(join(DOCS, path)))).toEqual([]);
  });

  it('sums up what its tables say', () => {
    for (let chapter = 1; chapter <= 17; chapter += 1) {
      const counted = count(({ id }) => id.startsWith(`${chapter}.`));
      expect([chapter, ...summaryOf((title) => title.startsWith(`V${chapter} `))]).toEqual([chapter, ...counted]);
    }
    for (const level of ['1', '2']) {
      expect(summaryOf((title) => title === `Level ${level}`)).toEqual(count((each) => each.level === level));
    }
    expect(summaryOf((title) => title === 'All')).toEqual(count(() => true));
  });
});
