import { commandsOf, failureOf, TreeCopy } from '../support/tree-copy.js';

let copy: TreeCopy;
beforeAll(() => {
  copy = new TreeCopy();
});
afterAll(() => copy.remove());

describe('docs/removing-tasks.md', () => {
  it.each(commandsOf('docs/removing-tasks.md'))('has a command that works: %s', (command) => {
    expect(failureOf(copy.run('sh', '-c', command))).toBe('');
  });

  it('leaves no file that uses the module', () => {
    const { output } = copy.run(
      'git',
      'grep',
      '-lE',
      'modules/tasks|contracts/tasks|support/tasks',
      '--',
      'src',
      'test',
    );
    expect(output).toBe('');
  });
});
