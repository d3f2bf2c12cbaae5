import { jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Types } from 'mongoose';
import { UnauthenticatedError } from '../../src/common/errors/problem.js';
import { requestContext } from '../../src/common/http/request-context.js';
import { SessionsService } from '../../src/modules/auth/sessions.service.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { Revocations } from '../../src/platform/revocation/revocations.js';
import { buildParts, deferred } from '../support/parts.js';

const CLIENT = { ip: '192.0.2.1', userAgent: 'a test' };

let app: NestFastifyApplication;
let sessions: SessionsService;
beforeAll(async () => {
  app = await buildParts({ REFRESH_REUSE_GRACE_SECONDS: '0' });
  sessions = app.get(SessionsService);
});

/** A refresh in a process that is paused after it has read the session, and goes on when told to. */
async function startPausedRefresh(refreshToken: string) {
  const [read, pause] = [deferred(), deferred()];
  jest.spyOn(app.get(Revocations), 'assertActiveNow').mockImplementationOnce(() => {
    read.resolve();
    return pause.promise;
  });
  const refresh = sessions.refresh(refreshToken, CLIENT);
  refresh.catch(() => undefined); // it is looked at later
  await read.promise;
  return { refresh, goOn: pause.resolve };
}

const start = () =>
  app.get(Transactions).run((transaction) => sessions.start(new Types.ObjectId(), CLIENT, transaction));

describe('a refresh with a token that was exchanged before it began', () => {
  it.each([
    ['ends the session', false],
    ['ends nothing where its client has left, as one does that gave up on a paused process', true],
  ])('%s', async (_, hasLeft) => {
    const { refreshToken } = await start();
    const next = await sessions.refresh(refreshToken, CLIENT);
    const last = await sessions.refresh(next.refreshToken, CLIENT);
    const context = {
      requestId: 'a request',
      startedAt: performance.now(),
      ip: CLIENT.ip,
      clientHasLeft: () => hasLeft,
    };
    const late = requestContext.run(context, () => sessions.refresh(refreshToken, CLIENT));
    await expect(late).rejects.toMatchObject({ code: hasLeft ? 'UNAUTHENTICATED' : 'REFRESH_TOKEN_REUSED' });
    const found = await sessions.findByRefreshToken(last.refreshToken);
    expect(found !== null).toBe(hasLeft);
  });
});

describe('a refresh that was paused while another one exchanged its token', () => {
  it('gives the same successor, however long the pause was', async () => {
    const { refreshToken } = await start();
    const paused = await startPausedRefresh(refreshToken);
    const other = await sessions.refresh(refreshToken, CLIENT);
    paused.goOn();
    expect((await paused.refresh).refreshToken).toBe(other.refreshToken);
    expect((await sessions.refresh(other.refreshToken, CLIENT)).session.generation).toBe(2);
  });

  it('is refused where the successor was used, and the session goes on', async () => {
    const { refreshToken } = await start();
    const paused = await startPausedRefresh(refreshToken);
    const second = await sessions.refresh(refreshToken, CLIENT);
    const third = await sessions.refresh(second.refreshToken, CLIENT);
    paused.goOn();
    await expect(paused.refresh).rejects.toBeInstanceOf(UnauthenticatedError);
    expect((await sessions.refresh(third.refreshToken, CLIENT)).session.generation).toBe(3);
  });
});
