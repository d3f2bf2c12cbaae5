import { readFileSync } from 'node:fs';

it('has Renovate update packages, images and actions, and pin images and actions by digest', () => {
  const { extends: presets, enabledManagers } = JSON.parse(readFileSync('renovate.json', 'utf8')) as {
    extends: string[];
    enabledManagers: string[];
  };
  expect(enabledManagers.sort()).toEqual(['docker-compose', 'dockerfile', 'github-actions', 'npm']);
  expect(presets).toEqual(expect.arrayContaining(['docker:pinDigests', 'helpers:pinGitHubActionDigests']));
});
