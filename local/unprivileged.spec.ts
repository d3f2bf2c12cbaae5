import { findUser } from './unprivileged.js';

describe('findUser', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n';

  it("finds a user's numbers by name", () => {
    expect(findUser(passwd, 'nobody')).toEqual({ uid: 65_534, gid: 65_533 });
  });

  it('finds nobody where there is nobody', () => {
    expect(findUser(passwd, 'ada')).toBeUndefined();
  });
});
