import { SeenVersions } from './versions.js';

const TASK = 'https://api.test/api/v1/tasks/6b0de080aea76fe32620efdd';

describe('SeenVersions', () => {
  it.each([
    ['GET', `${TASK}/history?limit=2`, `${TASK}/history?limit=2`],
    ['PATCH', `${TASK}?scope=this`, TASK],
    ['POST', `${TASK}/restore`, TASK],
    ['POST', `${TASK}/attachments`, TASK],
    ['DELETE', `${TASK}/attachments/6b0de080aea76fe32620efde`, TASK],
  ])('%s %s is about %s', (method, url, resource) => {
    expect(SeenVersions.resourceOf(method, url)).toBe(resource);
  });

  it('forgets what was used least lately', () => {
    const versions = new SeenVersions(2);
    for (const resource of ['a', 'b']) versions.put(resource, { etag: resource });
    versions.get('a');
    versions.put('c', { etag: 'c' });
    expect(['a', 'b', 'c'].map((resource) => versions.get(resource)?.etag)).toEqual(['a', undefined, 'c']);
  });
});
