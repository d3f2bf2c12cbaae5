import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { AuditService } from '../../src/modules/auth/audit.service.js';
import { NotFoundError } from '../../src/common/errors/problem.js';
import { UsersService } from '../../src/modules/users/users.service.js';
import { buildParts } from '../support/parts.js';

it('asks secondaries for what may be some moments old, and the primary for the rest', async () => {
  const app = await buildParts({ MONGODB_READ_PREFERENCE: 'secondaryPreferred' });
  const connection = app.get<Connection>(getConnectionToken());
  const asked: [unknown, unknown][] = [];
  connection.getClient().on('commandStarted', ({ commandName, command }) => {
    if (commandName === 'find') asked.push([command['find'], (command['$readPreference'] as { mode?: string })?.mode]);
  });
  const users = app.get(UsersService, { strict: false });
  await users.list({ limit: 1, sort: '-createdAt' } as never);
  await app.get(AuditService, { strict: false }).list({ limit: 1 });
  await expect(users.get('0123456789abcdef01234567')).rejects.toThrow(NotFoundError);
  expect(asked.slice(0, 2)).toEqual([
    ['users', 'secondaryPreferred'],
    ['auditentries', 'secondaryPreferred'],
  ]);
  expect(asked[2]![0]).toBe('users');
  expect(asked[2]![1]).not.toBe('secondaryPreferred');
});
